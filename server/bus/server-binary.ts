/** Finds a nats-server that is new enough, and the way to start it. */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const probeTimeoutMs = 5_000;
const oldest = { major: 2, minor: 10 };

/** Path where set-up installs it. */
const toolsBinary = fileURLToPath(new URL('../../.tools/bin/nats-server', import.meta.url));

/** The package with the binary for this platform. An installation from npm has brought it. */
const platformPackage = `@muster-jobs/nats-server-${process.platform}-${process.arch}`;

const ways =
  `the package ${platformPackage} brings it if npm has one for this platform and installs optional dependencies. ` +
  'Or get it by one of: the official release (https://github.com/nats-io/nats-server/releases) on PATH; ' +
  '`go install github.com/nats-io/nats-server/v2@latest`; the package nats-server of your system; `npm run setup` in a ' +
  'checkout. Or name it in MUSTER_NATS_SERVER, or use a running one with --nats';

/** Path in the platform's package; undefined if that is not installed. */
function packagedBinary(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`${platformPackage}/bin/nats-server`);
  } catch {
    return undefined;
  }
}

/**
 * Path of the nats-server to use: `MUSTER_NATS_SERVER`, else the one of the platform's package, else the one in the
 * tools folder, else the first one on PATH that is at least 2.10.
 *
 * @throws Error with the candidates that were found and how to get a suitable one.
 */
export async function findServerBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env.MUSTER_NATS_SERVER;
  if (named) {
    const refusal = await refuse(named);
    if (refusal) throw new Error(`MUSTER_NATS_SERVER: ${refusal}`);
    return named;
  }
  const packaged = packagedBinary();
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = [packaged ?? toolsBinary, toolsBinary, ...onPath.map((folder) => join(folder, 'nats-server'))];
  const refusals: string[] = [];
  for (const candidate of new Set(candidates)) {
    if (!(await isExecutable(candidate))) continue;
    const refusal = await refuse(candidate);
    if (!refusal) return candidate;
    refusals.push(refusal);
  }
  throw new Error(['no nats-server of version 2.10 or later was found', ...refusals, ways].join('; '));
}

/** Why this binary is unsuitable; undefined if it is suitable. */
async function refuse(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: probeTimeoutMs });
    const [, major, minor] = /\bv(\d+)\.(\d+)\./.exec(stdout) ?? [];
    if (major === undefined) return `${path} does not print its version`;
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
 * Command prefix with which the kernel ends the child when this process dies, however it dies. Empty where this is not
 * supported: there the next start ends an orphan.
 */
export async function dieWithParent(): Promise<readonly string[]> {
  if (process.platform !== 'linux') return [];
  const words = ['setpriv', '--pdeathsig', 'TERM'];
  return run(words[0] as string, [...words.slice(1), 'true'], { timeout: probeTimeoutMs }).then(
    () => words,
    () => [],
  );
}
