import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { POLICIES, POLICY_TABLE } from '../system/policy-table.js';
import { systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

const page = readFileSync(new URL('../../examples/rules/README.md', import.meta.url), 'utf8');

test('the page shows the table that test/system/policy.test.ts tries on the kernel', () => {
  expect(page).toContain(`\n${POLICY_TABLE}\n`);
});

test('the page says what each column of the table stands for', () => {
  const told = [...page.matchAll(/^\| ([^|]+) \| `(\{?(?:policy|countries): .*)` \|$/gm)];
  const policies = Object.fromEntries(
    told.map(([, name = '', text = '']) => [name, { policy: {}, countries: {}, ...parse(text) }]),
  );
  const expected = Object.entries(POLICIES).map(([name, each]) => [name, { policy: {}, countries: {}, ...each }]);
  expect(policies).toEqual(Object.fromEntries(expected));
});

systemTest(
  'every command of the page on rules prints what the page shows',
  ['root', 'netns', 'nft'],
  () => runPage('rules', { atLeast: 2, steady: (text) => text }),
  240_000,
);
