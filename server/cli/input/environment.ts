/** Options that may be set in the environment as well. */
import { Option } from 'commander';

/** An option that the variable sets where the command line does not. A variable that is empty is one that is not set. */
export function optionWithEnv(flags: string, description: string, variable: string): Option {
  if (process.env[variable] === '') delete process.env[variable];
  return new Option(flags, description).env(variable);
}

/** For an option that may be repeated, and in the environment is a list with commas. */
export function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((item) => item.trim())];
}
