import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readManifest } from '../apply/artefact-store.js';
import { BlocklistError } from '../errors.js';
import { grouped } from '../io/figures.js';
import { errnoOf } from '../io/read.js';
import { type Bench, examination, type Finding, good, type Host, told } from './contract.js';

export interface Place {
  readonly name: 'rules' | 'state' | 'cache';
  readonly path: string;
  /** bytes for plain users */
  readonly free: number;
  /** undefined where the file system makes them as it needs them */
  readonly freeInodes: number | undefined;
  readonly isReadOnly: boolean;
}

export interface DiskFacts {
  readonly places: ReadonlyArray<Place | { readonly path: string; readonly why: string }>;
  /** prefixes of the rules */
  readonly prefixes: number;
}

async function gather({ config, folders }: Host): Promise<DiskFacts> {
  const ours: Array<[Place['name'], string]> = [
    ['state', folders.state],
    ['cache', folders.cache],
  ];
  if (!(config instanceof BlocklistError)) ours.unshift(['rules', config.paths.rules]);
  const manifest = config instanceof BlocklistError ? undefined : await readManifest(config.paths.rules);
  return {
    places: await Promise.all(ours.map(([name, path]) => placeOf(name, path, path))),
    prefixes: Object.values(manifest?.sets ?? {}).reduce((sum, each) => sum + each.prefixes, 0),
  };
}

/** The file system that holds the folder, or will hold it once it is made. */
async function placeOf(name: Place['name'], path: string, at: string): Promise<DiskFacts['places'][number]> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(at);
    const isReadOnly = (await errorOf(access(at, constants.W_OK))) === 'EROFS';
    return { name, path, free: bavail * bsize, freeInodes: files === 0 ? undefined : ffree, isReadOnly };
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    const parent = dirname(at);
    return code === 'ENOENT' && parent !== at ? placeOf(name, path, parent) : { path, why: code };
  }
}

async function errorOf(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return errnoOf(error);
  }
}

/** Bodies, parsed forms, five kept artefacts and their temporary files; 18 bytes a line, four copies of each, rounded up. */
const BASE = 32e6;
const PER_PREFIX = 150;
const INODES = 200;

export function judgeDisk({ places, prefixes }: DiskFacts, { line }: Bench): Finding[] {
  const need = BASE + PER_PREFIX * prefixes;
  const megabytes = (bytes: number) => `${grouped(Math.round(bytes / 1e6))} MB`;
  const found = places.flatMap((place): Finding[] => {
    const { path } = place;
    if ('why' in place) return [told('disk', 'unknown', `${path}: ${place.why}`, `sudo ${line('doctor')}`, path)];
    const { name, free, freeInodes, isReadOnly } = place;
    if (isReadOnly)
      return [
        told(
          'disk',
          'problem',
          `${name} is on a read-only file system`,
          `mount -o remount,rw, or name another folder: paths: {${name}: …}`,
          path,
        ),
      ];
    if (free < need)
      return [
        told(
          'disk',
          'problem',
          `${name}: ${megabytes(free)} free, ${megabytes(need)} needed`,
          `make room, or name another folder: paths: {${name}: …}`,
          path,
        ),
      ];
    if (freeInodes !== undefined && freeInodes < INODES)
      return [
        told('disk', 'problem', `${name}: ${freeInodes} inodes free`, `remove small files there (df -i ${path})`, path),
      ];
    return [];
  });
  return found.length > 0 ? found : [good('disk', `room for rules, state and cache (${megabytes(need)} needed)`)];
}

export const disk = examination('disk', { gather, judge: judgeDisk });
