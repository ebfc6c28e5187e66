import type { Command } from 'commander';
import { type GlobalOptions, processContext, type Command as Run } from './commands/context.js';

/** The arguments and options of a command line as commander hands them on: arguments first, then options, then the command. */
type Shape<Options> = (...args: never[]) => Options;

/** Adds a command whose file is loaded only when it runs, and whose result is the exit status. */
export type Add = <Options>(
  parent: Command,
  name: string,
  description: string,
  examples: readonly [string, string],
  load: () => Promise<{ run: Run<Options> }>,
  shape: Shape<Options>,
) => Command;

/** The way to add commands to a program of this version. */
export function commandAdder(program: Command, version: string) {
  function action<Options>(load: () => Promise<{ run: Run<Options> }>, shape: Shape<Options>) {
    return async (...args: unknown[]) => {
      const { run } = await load();
      const options = { ...shape(...(args as never[])), ...program.opts<GlobalOptions>() };
      process.exitCode = await run(options, processContext(version));
    };
  }
  const add: Add = (parent, name, description, examples, load, shape) => {
    const lines = examples.map((line) => `  $ ${line}\n`).join('');
    return parent
      .command(name)
      .description(description)
      .addHelpText('after', `\nExamples:\n${lines}`)
      .action(action(load, shape));
  };
  return { add, action };
}

/** For options that may be given several times. */
export const collect = (value: string, previous: readonly string[] = []) => [...previous, value];

export const none = () => ({});
