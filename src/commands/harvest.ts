import { readLocalEntries } from '../apply/local-entries.js';
import { Nft } from '../apply/nft.js';
import { requireRight } from '../apply/right.js';
import { ExitStatus } from '../errors.js';
import { dateText, grouped } from '../io/figures.js';
import { withLock } from '../io/lock.js';
import { overlap } from '../ip/index.js';
import { forgetOldDays, readHitDay, readLastLook, writeHits } from '../report/hit-files.js';
import { countersOf, emptyDay, type Hit, newHits, type Origin, withHits } from '../report/hits.js';
import { type Context, type GlobalOptions, say } from './context.js';
import { openProject, type Project } from './project.js';
import { openHoldings } from './provenance.js';

/** Name of what `ban` and programs like fail2ban banned here, among the sources. */
const BANS = 'bans of this host';
/** Of a host that no source lists any more: the rules that dropped it were those of an earlier night. */
const NOBODY = 'listed no more';

/** Gathers what the kernel dropped since the last time, before it forgets. */
export async function harvest(options: GlobalOptions, context: Context): Promise<ExitStatus> {
  await requireRight();
  const project = await openProject(options, context, 'read');
  const { state } = project;
  return withLock(state, async () => {
    const seen = await new Nft().seen();
    if (seen === undefined) {
      say(context, options, 'nothing is loaded: nothing was dropped');
      return ExitStatus.done;
    }
    const at = context.now();
    const last = await readLastLook(state);
    const hits = newHits(last?.counters ?? new Map(), seen);
    const day = dateText(at);
    const known = (await readHitDay(state, day)) ?? emptyDay(day);
    const counted = withHits(known, await withOrigins(hits, project, options, context));
    await writeHits(state, counted, { at, counters: countersOf(seen) });
    await forgetOldDays(state);
    const packets = hits.reduce((total, hit) => total + hit.packets, 0);
    say(context, options, `${grouped(packets)} packets of ${grouped(hits.length)} hosts came to ${day}`);
    return ExitStatus.done;
  });
}

async function withOrigins(
  hits: readonly Hit[],
  project: Project,
  options: GlobalOptions,
  context: Context,
): Promise<Array<Hit & Origin>> {
  const bans = (await readLocalEntries(project.state, context.now())).filter(({ what }) => what === 'ban');
  const all: Array<Hit & Origin> = [];
  // Apart: single addresses are looked up without making sets of whole countries.
  for (const version of [4, 6] as const) {
    const mine = hits.filter(({ prefix }) => prefix.family.version === version);
    if (mine.length === 0) continue;
    const blocks = mine.map(({ prefix }) => prefix);
    const { held, geo } = await openHoldings(project, blocks, options, context);
    const places = await geo();
    for (const hit of mine) {
      const { prefix } = hit;
      const listing = held.filter((source) => source.partOf(prefix) !== undefined).map(({ id }) => id);
      const isBanned = bans.some((ban) => overlap(ban.prefix, prefix));
      const sources = [...listing, ...(isBanned ? [BANS] : [])];
      all.push({ ...hit, sources: sources.length === 0 ? [NOBODY] : sources, country: places.countryOf(prefix) });
    }
  }
  return all;
}
