import { test } from 'vitest';
import { runPage } from './page.js';

/** The day of the list is today. */
const steady = (text: string) => text.replace(/since \d{4}-\d\d-\d\d/g, 'since DATE');

test('every command of the page on somebody who is in prints what the page shows', { timeout: 120_000 }, async () => {
  await runPage('someone-is-in', { atLeast: 6, steady });
});
