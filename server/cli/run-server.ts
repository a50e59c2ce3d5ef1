/** Runs a replica until it is told to stop. */
import { resolve } from 'node:path';
import { type ConfigInput, readConfig } from '../config.ts';
import { type RunningReplica, startReplica } from '../main.ts';

function describe(replica: RunningReplica, input: ConfigInput): string {
  const port = replica.grpcAddress.split(':').at(-1);
  return `Muster is up.

  gRPC      ${replica.grpcAddress}    clients and workers
  HTTP      ${replica.httpAddress}    browsers and curl; begin at /reference
  database  ${input.postgresUrl ? 'PostgreSQL' : `embedded, in ${resolve(input.dataFolder ?? '.muster', 'postgres')}`}
  bus       ${input.natsUrls?.length ? input.natsUrls.join(', ') : `embedded nats-server, in ${resolve(input.dataFolder ?? '.muster', 'nats')}`}

Next: run a worker and submit a job, as in the README's "A job in ten lines", with address 127.0.0.1:${port}.
Stop with Ctrl-C.
`;
}

/** Resolves when a signal to stop arrives; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolvePromise) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolvePromise(signal);
      });
    }
  });
}

export async function runServer(input: ConfigInput): Promise<void> {
  const stopped = stopSignal();
  let replica: RunningReplica;
  try {
    replica = await startReplica(readConfig(input));
  } catch (error) {
    process.stderr.write(`muster: ${(error as Error).message}\n`);
    process.exitCode = 1;
    process.exit();
  }
  process.stdout.write(describe(replica, input));
  await stopped;
  process.stdout.write('Stopping: no new calls; what is under way finishes …\n');
  await replica.stop();
  process.stdout.write('Stopped.\n');
  process.exit(0);
}
