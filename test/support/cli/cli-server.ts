/** A real server and worker for tests of the CLI, with handlers that add, fail or block, and one unused definition. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Worker } from '@muster-jobs/sdk';
import { eventually } from '../base/eventually.ts';
import { startTestReplica } from '../base/replica.ts';
import { type CliResult, type CliSettings, runMuster, startMuster, startMusterProcess } from './cli.ts';

export interface CliServer {
  readonly address: string;
  readonly httpAddress: string;
  readonly client: Client;
  /** Lets the handler `gate` continue. */
  open(): void;
  run(args: readonly string[], settings?: CliSettings): Promise<CliResult>;
  start(args: readonly string[], settings?: CliSettings): ReturnType<typeof startMuster>;
  startProcess(args: readonly string[], settings?: CliSettings): ReturnType<typeof startMusterProcess>;
  stop(): Promise<void>;
}

/** Definitions: `add`, `fail` (two attempts), `gate` (reports half, then waits for `open`), `idle` (has no worker). */
export async function startCliServer(): Promise<CliServer> {
  const replica = await startTestReplica();
  const address = replica.grpcAddress;
  const client = new Client({ address });
  let opened = false;
  const handlers = {
    add: (_context: unknown, { a, b }: { a: number; b: number }) => a + b,
    fail: () => {
      throw new TypeError('no \u001b[31mway', { cause: new RangeError('the root of it') });
    },
    gate: async (context: { progress(fraction: number, message: string): void; signal: AbortSignal }) => {
      context.progress(0.5, 'half of it');
      while (!opened) await delay(20, undefined, { signal: context.signal });
      return { opened };
    },
  };
  const worker = new Worker({ address, name: 'cli-worker', handlers });
  const running = worker.run();
  for (const name of ['add', 'gate', 'idle']) await client.applyDefinition({ name });
  await client.applyDefinition({ name: 'fail', retryPolicy: { maxAttempts: 2, minBackoffMs: 1 } });
  await eventually('its worker is connected', async () => (await client.listWorkers()).workers.length > 0);
  const to = (settings: CliSettings = {}) => ({ ...settings, env: { MUSTER_SERVER: address, ...settings.env } });
  return {
    address,
    httpAddress: replica.httpAddress,
    client,
    open: () => {
      opened = true;
    },
    run: (args, settings) => runMuster(args, to(settings)),
    start: (args, settings) => startMuster(args, to(settings)),
    startProcess: (args, settings) => startMusterProcess(args, to(settings)),
    async stop() {
      opened = true;
      await worker.stop();
      await running;
      client.close();
      await replica.stop();
    },
  };
}
