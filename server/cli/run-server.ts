/** Runs a replica until it is stopped: at a terminal, or under a supervisor. */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Config, type ConfigInput, readConfig } from '../config.ts';
import { openLog, type ReplicaLog } from '../log.ts';
import { type RunningReplica, startReplica } from '../main.ts';
import { version } from '../version.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import { asTyped } from './failures/typed-command.ts';
import { asOption } from './input/server-options.ts';
import { type Given, securityWarningsOf } from './security-warnings.ts';

/** Between two tries to start again. */
const RETRY_MS = 1_000;

function describe(replica: RunningReplica, input: ConfigInput): string {
  const folder = resolve(input.dataFolder ?? '.muster');
  const database = input.postgresUrl ? 'PostgreSQL' : `embedded, in ${folder}/postgres`;
  const bus = input.natsUrls?.length ? input.natsUrls.join(', ') : `embedded nats-server, in ${folder}/nats`;
  return `Muster ${version} is up. Stop it with Ctrl-C.
  gRPC      ${replica.grpcAddress}    for clients and workers; ${asTyped('muster doctor')} looks at it
  HTTP      ${replica.httpAddress}    for browsers and curl; begin at /reference
  database  ${database}
  bus       ${bus}
`;
}

/** A terminal sends Ctrl-C to all processes of a command, and npx passes its own on: the same one comes twice then. */
const SAME_SIGNAL_MS = 500;

/** Resolves when a signal to stop arrives; a second one, somewhat later, ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolvePromise) => {
    let first: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > SAME_SIGNAL_MS) process.exit(Exit.INTERRUPTED);
        resolvePromise(signal);
      });
    }
  });
}

/** @throws CliError that names each invalid option, and why. */
function configOf(input: ConfigInput): Config {
  try {
    return readConfig(input);
  } catch (error) {
    const [first = '', ...details] = asOption((error as Error).message).split('\n');
    throw new CliError({ message: first, details, cause: error });
  }
}

interface Serving {
  readonly config: Config;
  readonly log: ReplicaLog;
  readonly stopped: Promise<NodeJS.Signals>;
  readonly onUp: (replica: RunningReplica) => void;
}

/** Ports that the system chose stay the same for all replicas of the process. */
function portsOf({ grpcAddress, httpAddress }: RunningReplica): Pick<Config, 'grpcPort' | 'httpPort'> {
  return { grpcPort: Number(grpcAddress.split(':').at(-1)), httpPort: Number(httpAddress.split(':').at(-1)) };
}

/**
 * A replica after one that was lost. The process has served, so those who use it count on it, however long PostgreSQL is
 * away now. Resolves with the signal if one comes first.
 */
async function startAgain(serving: Serving, changes: number): Promise<RunningReplica | NodeJS.Signals> {
  const { config, log, stopped } = serving;
  for (;;) {
    try {
      return await startReplica(config, log, changes);
    } catch (error) {
      log.error({ problem: (error as Error).message }, 'could not start again, tries once more in a second');
      const signal = await Promise.race([stopped, delay(RETRY_MS, undefined)]);
      if (signal !== undefined) return signal;
    }
  }
}

interface Served {
  /** Undefined: the signal came while there was none. */
  readonly replica?: RunningReplica;
  readonly signal: NodeJS.Signals;
}

/**
 * Runs a replica until a signal, and another one after it whenever its PostgreSQL has got another history.
 * @throws Error if the first one can't start, CliError if the embedded database has ended.
 */
async function serve(serving: Serving): Promise<Served> {
  const { config, log, stopped, onUp } = serving;
  let replica = await startReplica(config, log);
  for (let changes = 1; ; changes++) {
    onUp(replica);
    const end = await Promise.race([stopped, replica.lost]);
    if (typeof end === 'string') return { replica, signal: end };
    const isEmbedded = !config.postgresUrl;
    if (!isEmbedded) log.error({ problem: end.message }, 'forgets all that it knows of the database, and starts again');
    // The remaining parts would only answer health checks for ever.
    await replica.stop().catch(() => undefined);
    if (isEmbedded) {
      const next = 'start it again: acknowledged data is kept';
      throw new CliError({ message: end.message, next, exitCode: Exit.UNEXPECTED, cause: end });
    }
    const again = await startAgain({ ...serving, config: { ...config, ...portsOf(replica) } }, changes);
    if (typeof again === 'string') return { signal: again };
    replica = again;
  }
}

/** With output for a person at a terminal. */
export async function runStart(input: ConfigInput): Promise<never> {
  const stopped = stopSignal();
  const config = configOf(input);
  const onUp = (up: RunningReplica) => void process.stdout.write(describe(up, input));
  const { replica } = await serve({ config, log: openLog(config.logLevel), stopped, onUp }).catch((error: Error) => {
    if (error instanceof CliError) throw error;
    throw new CliError({ message: error.message, exitCode: Exit.UNEXPECTED, cause: error });
  });
  process.stdout.write('Stopping: no new calls; calls in progress finish …\n');
  await replica?.stop();
  process.stdout.write('Stopped.\n');
  process.exit(Exit.OK);
}

/** With output in its log: its addresses, its security warnings, and why it does not start. */
export async function runProduction(input: ConfigInput, given: Given & { insecure: boolean }): Promise<never> {
  const config = configOf(input);
  const log = openLog(config.logLevel);
  const { refused, warnings } = securityWarningsOf(input, given);
  if (refused.length > 0 && !given.insecure) {
    throw new CliError({
      message: refused.join('; '),
      next: '--nats-credentials FILE names its credentials; --insecure starts without',
    });
  }
  const stopped = stopSignal();
  for (const warning of [...warnings, ...refused]) log.warn({}, warning);
  const onUp = ({ grpcAddress, httpAddress }: RunningReplica) => log.info({ grpcAddress, httpAddress }, 'serves');
  try {
    const { replica, signal } = await serve({ config, log, stopped, onUp });
    log.info({ signal }, 'stops: no new calls; calls in progress finish');
    await replica?.stop();
    log.info({}, 'stopped');
    await log.flush();
  } catch (error) {
    log.error({ problem: (error as Error).message }, 'ends: it cannot continue');
    await log.flush();
    process.exit(Exit.UNEXPECTED);
  }
  process.exit(Exit.OK);
}
