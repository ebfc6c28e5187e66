import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LocalWish, localCommands, localContent } from '../../src/apply/local-sets.js';
import { formatPrefix, IpSet, parsePrefix } from '../../src/ip/index.js';
import type { LocalElement } from '../../src/render/commands.js';
import { runs } from '../ip/arbitraries.js';

const NOW = Date.UTC(2026, 10, 1);
const HOUR = 3_600_000;

function wish(text: string, until?: number): LocalWish {
  return { prefix: parsePrefix(text), until };
}

function element(text: string, seconds?: number): LocalElement {
  return { prefix: parsePrefix(text), seconds };
}

function words(elements: readonly LocalElement[] | undefined): string[] {
  return (elements ?? []).map(
    ({ prefix, seconds }) => `${formatPrefix(prefix)}${seconds === undefined ? '' : ` ${seconds}s`}`,
  );
}

describe('localContent', () => {
  test('each wish in the set of its kind and family; all four sets are there', () => {
    const content = localContent(
      [wish('9.0.0.1'), wish('2a02::/32', NOW + HOUR)],
      [wish('9.0.0.2', NOW + 1500), wish('2a0d::1')],
      NOW,
    );
    expect([...content].map(([name, elements]) => [name, words(elements)])).toEqual([
      ['allow4', ['9.0.0.1']],
      ['allow6', ['2a02::/32 3600s']],
      // Rounded up: a ban is never shorter than was asked for.
      ['ban4', ['9.0.0.2 2s']],
      ['ban6', ['2a0d::1']],
    ]);
    expect([...localContent([], [], NOW).values()]).toEqual([[], [], [], []]);
  });

  test('what is over is left out, to the millisecond', () => {
    const content = localContent(
      [wish('9.0.0.1', NOW), wish('9.0.0.2', NOW + 1), wish('9.0.0.3', NOW - HOUR)],
      [],
      NOW,
    );
    expect(words(content.get('allow4'))).toEqual(['9.0.0.2 1s']);
  });

  test('of wishes that overlap each address gets the latest end', () => {
    const ban = [
      wish('9.0.0.0/30', NOW + HOUR),
      wish('9.0.0.1'),
      wish('9.0.0.2', NOW + 2 * HOUR),
      wish('9.0.0.2', NOW + 60_000),
    ];
    expect(words(localContent([], ban, NOW).get('ban4'))).toEqual([
      '9.0.0.1',
      '9.0.0.2 7200s',
      '9.0.0.0 3600s',
      '9.0.0.3 3600s',
    ]);
  });

  test('an allowance for good takes in every shorter one; wishes of one end are joined', () => {
    expect(words(localContent([wish('9.0.0.0/24'), wish('9.0.0.7', NOW + HOUR)], [], NOW).get('allow4'))).toEqual([
      '9.0.0.0/24',
    ]);
    expect(words(localContent([wish('9.0.0.0/25'), wish('9.0.0.128/25')], [], NOW).get('allow4'))).toEqual([
      '9.0.0.0/24',
    ]);
  });

  test('allowances do not shorten bans, nor bans allowances: the rules ask allow first', () => {
    const content = localContent([wish('9.0.0.1')], [wish('9.0.0.0/24')], NOW);
    expect([words(content.get('allow4')), words(content.get('ban4'))]).toEqual([['9.0.0.1'], ['9.0.0.0/24']]);
  });

  test('what lasts longer than a hundred years stays without an end: the kernel cannot count so far', () => {
    const year = 365.25 * 24 * HOUR;
    const content = localContent([], [wish('9.0.0.1', NOW + 100 * year), wish('9.0.0.2', NOW + 300 * year)], NOW);
    expect(words(content.get('ban4'))).toEqual(['9.0.0.2', '9.0.0.1 3155760000s']);
  });

  /** Wishes about 32 addresses, so that every one can be asked for. */
  const wishes = fc.array(
    fc
      .tuple(fc.nat(31), fc.integer({ min: 27, max: 32 }), fc.option(fc.integer({ min: -2, max: 5 })), fc.boolean())
      .map(([at, length, hours, isSix]) => {
        const first = (at >> (32 - length)) << (32 - length);
        const until = hours === null ? undefined : NOW + hours * HOUR;
        const text = isSix ? `2a02::${first.toString(16)}/${length + 96}` : `9.0.0.${first}/${length}`;
        return { first, size: 2 ** (32 - length), until, isSix, wish: wish(text, until) };
      }),
    { maxLength: 14 },
  );

  test('the elements are disjoint, and hold each address until the latest end of its wishes', () => {
    fc.assert(
      fc.property(wishes, (all) => {
        const content = localContent(
          [],
          all.map((each) => each.wish),
          NOW,
        );
        for (const isSix of [false, true]) {
          const elements = content.get(isSix ? 'ban6' : 'ban4') ?? [];
          const sets = elements.map(({ prefix }) => IpSet.from([prefix]));
          for (let at = 0; at < 32; at++) {
            const address = isSix ? `2a02::${at.toString(16)}` : `9.0.0.${at}`;
            const found = elements.filter((_, i) => sets[i]!.has(address));
            const mine = all.filter(({ first, size, until, isSix: six }) => {
              const isOpen = until === undefined || until > NOW;
              return six === isSix && isOpen && first <= at && at < first + size;
            });
            expect(found.length, address).toBe(mine.length === 0 ? 0 : 1);
            if (found[0] === undefined) continue;
            const latest = Math.max(...mine.map(({ until }) => until ?? Number.POSITIVE_INFINITY));
            expect(found[0].seconds ?? Number.POSITIVE_INFINITY, address).toBe((latest - NOW) / 1000);
          }
          const wanted = all.filter(({ until, isSix: six }) => six === isSix && (until === undefined || until > NOW));
          const union = IpSet.from(elements.map(({ prefix }) => prefix));
          expect(union.equals(IpSet.from(wanted.map((each) => each.wish.prefix)))).toBe(true);
        }
      }),
      runs(300),
    );
  });

  test('in any order of the wishes the elements are the same', () => {
    const shuffled = wishes.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([a, b]) => {
        const of = (all: typeof a) =>
          localContent(
            all.map((each) => each.wish),
            [],
            NOW,
          );
        expect(of(b)).toEqual(of(a));
      }),
      runs(100),
    );
  });
});

describe('localCommands', () => {
  const told = (commands: ReturnType<typeof localCommands>) =>
    commands.map((command) => {
      if (command.do !== 'add-local' && command.do !== 'delete-local') throw new Error(command.do);
      return [command.do, command.set.name, words(command.elements)];
    });
  const content = (...elements: LocalElement[]) => new Map([['ban4', elements] as const]);

  test('nothing when the sets hold what they should', () => {
    expect(localCommands(content(element('9.0.0.1')), content(element('9.0.0.1')))).toEqual([]);
    expect(localCommands(new Map(), content())).toEqual([]);
  });

  test('what is too much goes, then what is missing comes, set by set', () => {
    const wanted = new Map([
      ['ban4', [element('9.0.0.1'), element('9.0.0.2', 60)]],
      ['allow6', [element('2a02::/32')]],
    ] as const);
    const found = new Map([
      ['allow6', []],
      ['ban4', [element('9.0.0.1'), element('9.0.0.3')]],
    ] as const);
    expect(told(localCommands(wanted, found))).toEqual([
      ['add-local', 'allow6', ['2a02::/32']],
      ['delete-local', 'ban4', ['9.0.0.3']],
      ['add-local', 'ban4', ['9.0.0.2 60s']],
    ]);
  });

  test('a set that is not there is left alone', () => {
    expect(localCommands(new Map([['allow4', [element('9.0.0.1')]] as const]), content())).toEqual([]);
  });

  test('time that went on between two looks is no change, another end is one', () => {
    const from = (seconds: number | undefined) => content(element('9.0.0.1', seconds));
    for (const [wanted, found] of [
      [60, 60],
      [60, 57],
      [57, 60],
    ]) {
      expect(localCommands(from(wanted), from(found))).toEqual([]);
    }
    for (const [wanted, found] of [
      [60, 56],
      [56, 60],
      [60, undefined],
      [undefined, 60],
    ]) {
      expect(told(localCommands(from(wanted), from(found))).map(([does]) => does)).toEqual([
        'delete-local',
        'add-local',
      ]);
    }
  });

  test('a prefix of another length or family is another element', () => {
    const change = localCommands(content(element('9.0.0.0/24')), content(element('9.0.0.0/25'), element('9.0.0.0')));
    expect(told(change)).toEqual([
      ['delete-local', 'ban4', ['9.0.0.0/25', '9.0.0.0']],
      ['add-local', 'ban4', ['9.0.0.0/24']],
    ]);
  });

  test('afterwards the sets hold what they should', () => {
    const elements = fc
      .uniqueArray(fc.tuple(fc.nat(9), fc.option(fc.nat(40), { nil: undefined })), {
        selector: ([at]) => at,
        maxLength: 8,
      })
      .map((all) => all.map(([at, seconds]) => element(`9.0.0.${at}`, seconds)));
    fc.assert(
      fc.property(elements, elements, (wanted, found) => {
        let now = [...found];
        for (const command of localCommands(content(...wanted), content(...found))) {
          if (command.do === 'delete-local') now = now.filter((each) => !command.elements.includes(each));
          else if (command.do === 'add-local') now = [...now, ...command.elements];
        }
        expect(localCommands(content(...wanted), content(...now))).toEqual([]);
        const addresses = (all: readonly LocalElement[]) => all.map(({ prefix }) => formatPrefix(prefix)).sort();
        expect(addresses(now)).toEqual(addresses(wanted));
      }),
      runs(200),
    );
  });
});
