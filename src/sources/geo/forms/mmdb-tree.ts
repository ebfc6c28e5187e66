import { badDatabase } from '../damaged.js';

/** Facts of the metadata that the shape of the tree depends on. */
export interface TreeFacts {
  readonly nodeCount: number;
  readonly recordSize: number;
  readonly nodeByteSize: number;
  readonly searchTreeSize: number;
  readonly ipVersion: number;
}

/** The search tree of a database in MaxMind's format. */
export interface Tree extends TreeFacts {
  readonly bytes: Buffer;
}

/** Takes a leaf: its record pointer, its first address, and its length. `words` is overwritten by the next leaf. */
type TakeLeaf = (pointer: number, words: Uint32Array, depth: number) => void;

/** @throws BlocklistError `bad-database` when the metadata cannot be true */
export function treeOf(bytes: Buffer, facts: TreeFacts, where: string): Tree {
  const { nodeCount, recordSize, nodeByteSize, searchTreeSize, ipVersion } = facts;
  const isSane = [24, 28, 32].includes(recordSize) && [4, 6].includes(ipVersion) && nodeCount > 0;
  if (!isSane || searchTreeSize > bytes.length) throw badDatabase('its metadata is not plausible', where);
  return { bytes, nodeCount, recordSize, nodeByteSize, searchTreeSize, ipVersion };
}

/** Visits every leaf with data, depth first, so in numeric order; each network once. @throws BlocklistError `bad-database` for a tree with loops */
export function walkTree(tree: Tree, where: string, take: TakeLeaf): void {
  const { nodeCount, ipVersion } = tree;
  const words = new Uint32Array(4);
  const bits = ipVersion === 4 ? 32 : 128;
  const v4Root = ipVersion === 4 ? -1 : v4RootOf(tree);
  let visited = 0;
  const descend = (node: number, depth: number): void => {
    if (node === nodeCount) return;
    if (node > nodeCount) return take(node, words, depth);
    // Databases alias ::ffff:0:0/96, 2002::/16 and others to the IPv4 tree: the same networks again.
    if (node === v4Root && !(depth === 96 && words[0] === 0 && words[1] === 0 && words[2] === 0)) return;
    // In a tree each node is met once; more means a loop, which could be walked for ever.
    if (depth === bits || ++visited > nodeCount) throw badDatabase('its search tree has loops', where);
    const k = depth >> 5;
    const bit = (1 << (31 - (depth & 31))) >>> 0;
    descend(childOf(tree, node, 0), depth + 1);
    words[k] = words[k]! | bit;
    descend(childOf(tree, node, 1), depth + 1);
    words[k] = words[k]! & ~bit;
  };
  descend(0, 0);
}

function v4RootOf(tree: Tree): number {
  let node = 0;
  for (let depth = 0; depth < 96 && node < tree.nodeCount; depth++) node = childOf(tree, node, 0);
  return node < tree.nodeCount ? node : -1;
}

/** One record of a node (specification, "Node Layout"). Byte by byte: half a million nodes are read. */
function childOf({ bytes, recordSize, nodeByteSize }: Tree, node: number, side: 0 | 1): number {
  const at = node * nodeByteSize;
  if (recordSize === 24) return threeBytes(bytes, at + 3 * side);
  if (recordSize === 32) return bytes[at + 4 * side]! * 2 ** 24 + threeBytes(bytes, at + 4 * side + 1);
  const middle = bytes[at + 3]!;
  return side === 0
    ? (middle >> 4) * 2 ** 24 + threeBytes(bytes, at)
    : (middle & 15) * 2 ** 24 + threeBytes(bytes, at + 4);
}

function threeBytes(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}
