import { declarations, type KernelCommand, localSpecs } from '../render/commands.js';
import { LOCAL_SETS, SEEN_SETS, specOf, unusedIn } from '../render/layout.js';
import { structureDifferences, type Target } from './differences.js';
import type { LiveTable } from './live.js';

/** What a full load has to put aside in our table, as parts of its transaction. */

/** What nft takes as a name without quotes. Whatever else another program called its object stays, and is told as a difference. */
const PLAIN_NAME = /^[a-z][\w/.-]*$/i;

/** Before our chains and sets are declared: chains of others or in other places go, sets of another type that loadCommands declares, too. */
export function clearing({ artefact }: Target, live: LiveTable): KernelCommand[] {
  const { misplaced, foreign, otherKind } = structureDifferences(artefact, live);
  const chains = (does: 'empty' | 'remove', names: readonly string[]) =>
    names.filter((name) => PLAIN_NAME.test(name)).map((name) => ({ do: does, what: 'chain', name }) as const);
  return [
    ...chains('empty', [...live.chains.keys()]),
    ...chains('remove', [...misplaced, ...foreign.chains]),
    ...[...LOCAL_SETS, ...SEEN_SETS]
      .filter((name) => otherKind.includes(name))
      .map((name) => ({ do: 'remove', what: 'set', name }) as const),
  ];
}

/** The host-local sets that are not there yet, or went in `clearing`, with their elements. */
export function localAdds({ artefact, local }: Target, live: LiveTable | undefined): KernelCommand[] {
  const isGone = live === undefined ? [] : structureDifferences(artefact, live).otherKind;
  const names = LOCAL_SETS.filter((name) => live?.kinds.has(name) !== true || isGone.includes(name));
  return [
    ...declarations(localSpecs()),
    ...names.flatMap((name) => {
      const elements = local.get(name) ?? [];
      return elements.length === 0 ? [] : [{ do: 'add-local', set: specOf(name), elements } as const];
    }),
  ];
}

/** Behind the rules, which no longer look at them: sets of others. Those of ours that loadCommands itself removes are left to it. */
export function foreignSets({ artefact }: Target, live: LiveTable): KernelCommand[] {
  const removed: readonly string[] = unusedIn(artefact.sets).sets;
  return structureDifferences(artefact, live)
    .foreign.sets.filter((name) => PLAIN_NAME.test(name) && !removed.includes(name))
    .map((name) => ({ do: 'remove', what: 'set', name }) as const);
}
