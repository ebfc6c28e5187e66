/** What to do about a door: the one command that closes it, or why it should stay open. */
export type Advice =
  | { readonly kind: 'close'; readonly command: string; readonly note?: string }
  | { readonly kind: 'keep'; readonly why: string };
