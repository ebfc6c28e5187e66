/** What `init` found out, checked. */
export interface Answers {
  readonly profile: string;
  /** two-letter codes, lower case */
  readonly countries: readonly string[];
  /** addresses and blocks that an apply must not lock out */
  readonly admins: readonly string[];
  /** allow feeds of the catalogue */
  readonly proxies: readonly string[];
  /** the local API of a CrowdSec on this host */
  readonly crowdsec?: string | undefined;
}

export const ALLOW_FILE = 'lists/allow.txt';

/** A `blocklist.yaml` that explains itself. */
export function configText({ profile, countries, admins, proxies, crowdsec }: Answers): string {
  return `# blocklist.yaml: what is kept out, and what never is. Every key has a default; a key that is unknown is refused with its line.
# After a change: blocklist update, then blocklist apply --dry-run shows what it would do.

sources:
  # A named set of feeds: blocklist feeds list names them, blocklist feeds show ID tells terms and risk of each.
  profile: ${profile}
  # More of the catalogue: feeds: [blocklist-de-all]
  # Lists of your own:
  # custom:
  #   - {id: partners, url: "https://example.org/bad.csv", format: csv, column: ip}
  #   - {id: own, file: lists/own.txt}
  # Whole countries, two-letter codes. Travellers and customers there are kept out, too.
  countries: {block: ${list(countries)}}
${crowdsec === undefined ? '' : crowdsecLines(crowdsec)}
# Always wins over everything above. feeds: ranges of a CDN or cloud in front of this host.
allow: {files: [${ALLOW_FILE}], feeds: ${list(proxies)}}

# Of this host only, never in the rendered rules: an apply that would lock one of these out is refused.
local: {admins: ${list(admins)}}

# How publishers of lists reach you, and limits; config.schema.json in the package lists every key for your editor.
# fetch: {contact: you@example.org}
# guards: {max-country-coverage: 60%, max-age: 14d}
`;
}

/** Commented: without a key that only its administrator can make, it would fail every night. */
function crowdsecLines(url: string): string {
  return `  # CrowdSec is on this host. Its decisions need a key: cscli bouncers add blocklist -o raw > crowdsec.key; chmod 640 crowdsec.key; and after
  # blocklist install: chgrp blocklist crowdsec.key
  # crowdsec: {url: ${JSON.stringify(url)}, key-file: crowdsec.key}
`;
}

export function allowText(): string {
  return `# Never blocked: one address or block a line, what follows a # is a comment.
# 203.0.113.7        # the office
`;
}

/** A list in YAML. Quoted, because NO is false and 1e2 a number there. */
function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
}
