import { join } from 'node:path';
import { readHead } from '../io/read.js';
import { declarations, type KernelCommand, localSpecs } from '../render/commands.js';
import { specOf } from '../render/layout.js';
import { printText } from '../render/nft-text.js';
import type { Artefact } from './artefact.js';
import { BOOT_FOLDER, BOOT_SCRIPT, checkBootCopy, stageBootCopy, writeBootCopy } from './boot-copy.js';
import type { LocalContent } from './differences.js';

/** Writes the boot copy of what is being loaded, beside the one in use. @returns what turns to it, once the load is to stay */
export async function stageBoot(
  state: string,
  { script }: Artefact,
  local: LocalContent,
): Promise<() => Promise<void>> {
  const turnLocal = await stageBootCopy(state, 'local', localScript(local));
  const turnRules = await stageBootCopy(state, 'rules', script);
  return async () => {
    await turnLocal();
    await turnRules();
  };
}

/** Whether the boot copy says of itself that it loads the rules with this digest: a look at its first lines, not at all of it. */
export async function isBootOf(state: string, digest: string): Promise<boolean> {
  const head = await readHead(join(state, BOOT_FOLDER, 'rules', BOOT_SCRIPT), HEAD);
  return head?.toString('latin1').split('\n').includes(`# ${digest}`) === true;
}

/** The header of a script is longer, but its digest stands in the third line. */
const HEAD = 400;

/** The host-local part alone, after a decision about addresses. Where nothing is loaded at boot, it stays so. */
export async function writeLocalBoot(state: string, local: LocalContent): Promise<void> {
  const parts = await checkBootCopy(state);
  if (parts.some(({ part, state: found }) => part === 'rules' && found !== 'absent')) {
    await writeBootCopy(state, 'local', localScript(local));
  }
}

/**
 * The host-local sets as a script that also a reload may load. Times begin anew at boot, so a ban may last longer than it was meant, and who was
 * allowed for a while only is left out: the first apply after boot sets both right.
 */
function localScript(local: LocalContent): Uint8Array {
  const fill = [...local].flatMap(([name, elements]): KernelCommand[] => {
    const lasting = name.startsWith('allow') ? elements.filter(({ seconds }) => seconds === undefined) : elements;
    return lasting.length === 0 ? [] : [{ do: 'add-local', set: specOf(name), elements: lasting }];
  });
  return printText(
    ['What belongs to this host alone. Written by blocklist apply, ban and allow; loaded at boot before the rules.'],
    [...declarations(localSpecs()), ...localSpecs().map((set) => ({ do: 'flush-set', set }) as const), ...fill],
  );
}
