/** Options that can also be set in the environment. */
import { Option } from 'commander';

/** An option with a variable that applies if the command line does not set it. An empty variable counts as unset. */
export function optionWithEnv(flags: string, description: string, variable: string): Option {
  if (process.env[variable] === '') delete process.env[variable];
  return new Option(flags, description).env(variable);
}

/** For an option that may be repeated; in the environment it is a comma-separated list. */
export function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((item) => item.trim())];
}
