/** The notation of systemd's unit files (systemd.syntax(7), systemd.exec(5)). */

/** A line of a section: a key with its value, a comment, or an empty line. */
type Line = string;

export interface Unit {
  readonly name: string;
  /** what `systemctl enable` has to be told for it; others are started by these */
  readonly isEnabled: boolean;
  readonly text: string;
}

export function unit(
  name: string,
  sections: Readonly<Record<string, readonly Line[]>>,
  { isEnabled = false }: { isEnabled?: boolean } = {},
): Unit {
  const text = Object.entries(sections)
    .map(([section, lines]) => `[${section}]\n${lines.map((line) => `${line}\n`).join('')}`)
    .join('\n');
  return { name, isEnabled, text };
}

/** A command line of ExecStart=: words with anything but plain characters are quoted, `%` and `$` doubled. */
export function commandLine(argv: readonly string[]): string {
  return argv.map(word).join(' ');
}

function word(text: string): string {
  const literal = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  if (/^[\w./:@%$=+,-]+$/.test(literal)) return literal;
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
