/** Finds a nats-server that is new enough, and how to start it. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const probeTimeoutMs = 5_000;
const oldest = { major: 2, minor: 10 };

/** Where set-up puts it. */
const toolsBinary = resolve(import.meta.dirname, '../../.tools/bin/nats-server');

const ways =
  'bring it by one of: `npm run setup`; the official release (https://github.com/nats-io/nats-server/releases) on PATH; ' +
  '`go install github.com/nats-io/nats-server/v2@latest`; the package nats-server of your system. ' +
  'Or name it in MUSTER_NATS_SERVER';

/**
 * Path of the nats-server to use: the one that `MUSTER_NATS_SERVER` names, else the one in the tools folder, else the first
 * one on PATH that is at least 2.10.
 *
 * @throws Error that tells what was found and how to get one.
 */
export async function findServerBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env.MUSTER_NATS_SERVER;
  if (named) {
    const refusal = await refuse(named);
    if (refusal) throw new Error(`MUSTER_NATS_SERVER: ${refusal}`);
    return named;
  }
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const refusals: string[] = [];
  for (const candidate of [toolsBinary, ...onPath.map((folder) => join(folder, 'nats-server'))]) {
    if (!(await isExecutable(candidate))) continue;
    const refusal = await refuse(candidate);
    if (!refusal) return candidate;
    refusals.push(refusal);
  }
  throw new Error(['no nats-server of version 2.10 or later was found', ...refusals, ways].join('; '));
}

/** Why this binary will not do; undefined when it will. */
async function refuse(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: probeTimeoutMs });
    const [, major, minor] = /\bv(\d+)\.(\d+)\./.exec(stdout) ?? [];
    if (major === undefined) return `${path} does not tell its version`;
    const newEnough = Number(major) > oldest.major || (Number(major) === oldest.major && Number(minor) >= oldest.minor);
    return newEnough ? undefined : `${path} is older than 2.10 (${stdout.trim()})`;
  } catch (error) {
    return `${path} does not run (${(error as Error).message.split('\n')[0]})`;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Words to put before a command so that the kernel ends it when this process dies, however it dies. Empty where there is
 * no such thing: there the next start ends what was left behind.
 */
export async function dieWithParent(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const words = ['setpriv', '--pdeathsig', 'TERM'];
  return run(words[0] as string, [...words.slice(1), 'true'], { timeout: probeTimeoutMs }).then(
    () => words,
    () => [],
  );
}
