/** A real control plane, a client, and a worker of each language in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@muster-jobs/sdk';
import type { ConfigInput } from '../../../server/config.ts';
import { eventually } from '../../support/base/eventually.ts';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';

export const languages = ['typescript', 'python'] as const;
export type Language = (typeof languages)[number];

const programs = {
  typescript: { command: process.execPath, file: 'workers/worker.ts' },
  python: { command: 'python', file: 'workers/worker.py' },
};

export class Deployment {
  readonly replica: TestReplica;
  readonly client: Client;
  readonly #workers: ChildProcess[] = [];

  private constructor(replica: TestReplica) {
    this.replica = replica;
    this.client = new Client({ address: replica.grpcAddress });
  }

  static async start(settings: Partial<ConfigInput> = {}): Promise<Deployment> {
    return new Deployment(await startTestReplica(settings));
  }

  /** Starts a worker and waits until its session is open. */
  async startWorker(language: Language): Promise<void> {
    const { command, file } = programs[language];
    const path = new URL(file, import.meta.url).pathname;
    const env = { ...process.env, PYTHONPATH: new URL('../../../sdk/python/src', import.meta.url).pathname };
    const child = spawn(command, [path, this.replica.grpcAddress], { stdio: ['ignore', 'ignore', 'pipe'], env });
    this.#workers.push(child);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-4_000);
    });
    await eventually(
      `the ${language} worker opens its session`,
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}\n${said}`);
        const { workers } = await this.client.listWorkers();
        return workers.some((worker) => worker.name === language);
      },
      { timeoutMs: 120_000, everyMs: 50 },
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map(end));
    this.client.close();
    await this.replica.stop();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}
