/** `muster worker exec` as a separate process, with a real server. */
import { readFileSync } from 'node:fs';
import { Client, type Job } from '@muster-jobs/sdk';
import { eventually } from '../base/eventually.ts';
import { startTestReplica, type TestReplica } from '../base/replica.ts';
import { startMusterProcess } from './cli.ts';

export interface ExecWorld {
  readonly replica: TestReplica;
  readonly client: Client;
  /** Creates the definition, with one attempt unless `maxAttempts` is given. */
  define(name: string, maxAttempts?: number, more?: object): Promise<unknown>;
  /** Starts a worker, and resolves once it is ready. It stops with the world. */
  worker(args: readonly string[], env?: Record<string, string>): Promise<ExecWorker>;
  /** A worker with one handler that runs the shell script, and its definition. */
  script(name: string, script: string, args?: readonly string[]): Promise<ExecWorker>;
  /** Stops the workers, and waits for their end. */
  stopWorkers(): Promise<void>;
  stop(): Promise<void>;
}

export interface ExecWorker {
  readonly pid: number;
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: ReturnType<typeof startMusterProcess>['ended'];
  kill(signal: NodeJS.Signals): void;
}

export async function startExecWorld(): Promise<ExecWorld> {
  const replica = await startTestReplica({ beatMs: 1_000, leaseMs: 600_000 });
  const client = new Client({ address: replica.grpcAddress });
  const workers: ExecWorker[] = [];
  const world: ExecWorld = {
    replica,
    client,
    define: (name, maxAttempts = 1, more = {}) =>
      client.applyDefinition({ name, retryPolicy: { maxAttempts, minBackoffMs: 1, maxBackoffMs: 1 }, ...more }),
    async worker(args, env = {}) {
      const all = ['worker', 'exec', '--server', replica.grpcAddress, ...args];
      const { child, output, ended } = startMusterProcess(all, { env });
      const worker: ExecWorker = { pid: child.pid ?? 0, output, ended, kill: (signal) => child.kill(signal) };
      workers.push(worker);
      const isReady = () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${output.stderr}`);
        return output.stdout.includes('the worker is ready');
      };
      await eventually('the worker is ready', isReady, { timeoutMs: 120_000 });
      return worker;
    },
    async script(name, script, args = []) {
      await world.define(name);
      return world.worker([...args, name, '--', 'sh', '-c', script]);
    },
    async stopWorkers() {
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.splice(0).map(({ ended }) => ended));
    },
    async stop() {
      await world.stopWorkers();
      client.close();
      await replica.stop();
    },
  };
  return world;
}

/** The failure of a job that ended without a result. */
export function failureOf({ outcome }: Job) {
  if (outcome.case !== 'failure') throw new Error(`the job has ended with ${outcome.case ?? 'nothing'}`);
  return outcome.value;
}

/** Whether the process is alive. A dead process that was not reaped does not count. */
export function lives(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
