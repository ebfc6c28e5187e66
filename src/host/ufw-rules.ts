export type UfwAction = 'allow' | 'deny' | 'reject' | 'limit';

/** `8080/tcp` → what ufw does with it from anywhere, for rules of exactly this port and protocol */
export type UfwRules = ReadonlyMap<string, UfwAction>;

// To, action, from. Rules about one sender, an interface, several ports or a program's profile are others, also for ufw.
const RULE = /^(\d+\/(?:tcp|udp))(?: \(v6\))? +(ALLOW|DENY|REJECT|LIMIT)(?: IN)? +Anywhere(?: \(v6\))? *(?:#.*)?$/;

/** Reads `ufw status`; undefined when it is not active. */
export function parseUfwRules(text: string): UfwRules | undefined {
  const [first, ...lines] = text.split('\n');
  if (first !== 'Status: active') return undefined;
  const rules = new Map<string, UfwAction>();
  for (const line of lines) {
    const [, port, action] = RULE.exec(line) ?? [];
    if (port !== undefined) rules.set(port, action?.toLowerCase() as UfwAction);
  }
  return rules;
}
