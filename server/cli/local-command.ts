/** Commands that talk to no server: they refuse options that name one, instead of ignoring them. */
import type { Command } from 'commander';
import { CliError } from './failures/cli-error.ts';
import type { GlobalOptions } from './invocation.ts';
import { MusterCommand } from './muster-command.ts';

const allowed = new WeakMap<Command, readonly (keyof GlobalOptions)[]>();

/** Marks a command as local; of the global options it accepts only these. */
export function local(command: Command, ...options: (keyof GlobalOptions)[]): void {
  allowed.set(command, options);
}

/** @throws CliError if a local command got a global option that it does not accept. */
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
