import { systemTest } from '../system/requirements.js';
import { runPage } from './page.js';

/** Times go on, and hosts and people have names of their own. */
function steady(text: string): string {
  return text
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d\.\d{3})?/g, 'DATE')
    .replace(/"host":"[^"]+"/g, '"host":HOST')
    .replace(/"by":"[^"]+"/g, '"by":SOMEBODY');
}

systemTest('every command of the page on a fleet prints what the page shows', ['root', 'netns', 'nft'], () =>
  runPage('fleet', { atLeast: 5, steady }),
);
