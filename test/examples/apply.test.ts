import { systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

/** Times go on; everything else is as it was. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d/g, 'DATE')
    .replace(/\d+ s (more|unless)/g, 'SOME s $1')
    .replace(/loaded (just now|\d+ \w+ ago)/g, 'loaded AGE')
    .replace(/ +(now|\d+ minutes?|age) /g, ' AGE ')
    .replace(/rolled back by \S+|unloaded by \S+/g, 'decided by SOMEBODY');
}

systemTest(
  'every command of the page on apply prints what the page shows',
  ['root', 'netns', 'nft'],
  () => runPage('apply', { atLeast: 21, steady }),
  240_000,
);
