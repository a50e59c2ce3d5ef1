/** The time from a cancel to the signal in a running handler, with a worker of each SDK. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from '../../sdk/typescript/src/index.ts';
import { type Latency, latencyOf } from './measures.ts';

const root = new URL('../../', import.meta.url).pathname;
const programs = {
  TypeScript: [process.execPath, 'test/bench/cancel-worker.ts'],
  Python: [join(root, '.tools/venv/bin/python'), 'test/bench/cancel_worker.py'],
} as const;

export type Language = keyof typeof programs;
export const languages = Object.keys(programs) as Language[];

/** Reports of the worker's handlers with their times: milliseconds since 1970 on this machine's clock. */
class Sayings {
  readonly #times = new Map<string, number>();
  readonly #waiting = new Map<string, (ms: number) => void>();

  constructor(worker: ChildProcess) {
    createInterface({ input: worker.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const [what, jobId, ms] = line.split(' ');
      const key = `${what} ${jobId}`;
      this.#times.set(key, Number(ms));
      this.#waiting.get(key)?.(Number(ms));
    });
  }

  said(key: string): Promise<number> {
    const ms = this.#times.get(key);
    return ms === undefined ? new Promise((resolve) => this.#waiting.set(key, resolve)) : Promise.resolve(ms);
  }
}

/** Milliseconds from the call of `cancel` to the signal in the handler, one job after the other. */
export async function cancelLatency(
  client: Client,
  address: string,
  language: Language,
  samples: number,
): Promise<Latency> {
  const [command, program] = programs[language];
  const worker = spawn(command, [program, address], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: join(root, 'sdk/python/src') },
  });
  const sayings = new Sayings(worker);
  const times: number[] = [];
  try {
    await client.applyDefinition({ name: 'wait' });
    for (let i = 0; i < samples; i++) {
      const { jobId } = await client.submit('wait', null);
      await sayings.said(`started ${jobId}`);
      const asked = performance.timeOrigin + performance.now();
      await client.cancel(jobId);
      times.push((await sayings.said(`stopped ${jobId}`)) - asked);
      await client.wait(jobId);
    }
  } finally {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
  return latencyOf(times);
}
