/**
 * The public API: pure functions and types, and three that read files (loadConfig, readArtefact). Nothing here prints, exits or
 * reads the environment. For the pure heart alone, without node: `blocklist/ip`.
 */
export type { Artefact } from './apply/artefact-store.js';
export { readArtefact } from './apply/artefact-store.js';
export type { BuildInput, Built, CoverageLimits, ProvenanceIndex, RuleSets, Side, SourceShare } from './build/build.js';
export { build, sourcesOf } from './build/build.js';
export type { Config } from './config/load.js';
export { loadConfig } from './config/load.js';
export type { ErrorDetail } from './errors.js';
export { BlocklistError, ErrorCode, ExitStatus } from './errors.js';
export type { Address, Family, ListOptions, ListReport, Prefix, RejectedLine } from './ip/index.js';
export { formatPrefix, IpSet, IpSetBuilder, parseAddress, parsePrefix, readList, specialPurpose } from './ip/index.js';
export { renderArtefact, renderNft } from './render/artefact.js';
export type { NftJson } from './render/nft-json.js';
export { renderNftJson } from './render/nft-json.js';
export type { Direction, Loaded } from './sources/contract.js';
