/** Runs the `muster` command as a user does. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Deployment } from './deployment.ts';

const LONGEST_MS = 30_000;
const command = fileURLToPath(new URL('../../server/cli/muster.ts', import.meta.url));

/** Runs the command and returns its stdout. */
export async function muster({ address, signal }: Deployment, ...args: readonly string[]): Promise<string> {
  const options = { signal, timeout: LONGEST_MS };
  const run = promisify(execFile)(process.execPath, [command, '--server', address, ...args], options);
  return (await run).stdout;
}

/** The command line, followed by its stdout. */
export async function shown(deployment: Deployment, ...args: readonly string[]): Promise<string> {
  return `$ npx muster-jobs ${args.join(' ')}\n${await muster(deployment, ...args)}`;
}
