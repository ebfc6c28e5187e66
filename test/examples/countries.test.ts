import { systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

/** Databases grow old, and tables with them. */
function steady(text: string): string {
  return text
    .replace(/ +(\d+ (day|hour|minute)s?|now|age) +/g, ' AGE ')
    .replace(/data of (this minute|\d+ \w+ ago)/g, 'data of SOME TIME');
}

systemTest(
  'every command of the page on countries prints what the page shows',
  ['root', 'netns', 'nft'],
  () => runPage('countries', { atLeast: 6, steady }),
  240_000,
);
