/** Commands that talk to no server: options that would name one are refused there, not ignored. */
import type { Command } from 'commander';
import { CliError } from './failures/cli-error.ts';
import type { GlobalOptions } from './invocation.ts';
import { MusterCommand } from './muster-command.ts';

const allowed = new WeakMap<Command, readonly (keyof GlobalOptions)[]>();

/** Marks a command as one that takes no options of all commands but these. */
export function local(command: Command, ...options: (keyof GlobalOptions)[]): void {
  allowed.set(command, options);
}

/** @throws CliError when the command was given an option of all commands that means nothing to it. */
export function refuseForeignOptions(command: Command): void {
  const known = allowed.get(command);
  if (known === undefined) return;
  const own = command.options.map((option) => option.attributeName());
  for (const name of ['server', 'context', 'namespace', 'json'] as const) {
    if (command.optsWithGlobals()[name] === undefined || known.includes(name) || own.includes(name)) continue;
    const path = command instanceof MusterCommand ? command.path : command.name();
    throw new CliError({ message: `${path} takes no --${name}`, next: `${path} --help shows what it takes` });
  }
}
