import { createHash } from 'node:crypto';

/**
 * The first line of every file that `install` writes. It carries the digest of the rest, so that a later install or uninstall sees whether
 * somebody edited the file since, without keeping a list of its own anywhere.
 */
const MARKER = /^# written by blocklist install, sha256 ([0-9a-f]{64})\n/;

/** What a file at one of our places is. `foreign`: it never was ours, or its first line was taken away. */
export type Origin = 'absent' | 'ours' | 'edited' | 'foreign';

export function marked(text: string): string {
  return `# written by blocklist install, sha256 ${digest(text)}\n${text}`;
}

export function originOf(text: string | undefined): Origin {
  if (text === undefined) return 'absent';
  const [line, sum] = MARKER.exec(text) ?? [];
  if (line === undefined) return 'foreign';
  return digest(text.slice(line.length)) === sum ? 'ours' : 'edited';
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
