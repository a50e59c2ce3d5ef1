/** A control plane and a worker as separate processes, as in production, for the benchmarks. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The flags that `npm start` and the command pass to a server. */
const SERVER_FLAGS = ['--max-semi-space-size=8'];
/** This checkout. */
export const root = new URL('../../', import.meta.url).pathname;

export interface Deployment {
  readonly address: string;
  /** Memory of the control plane's process in MB: resident now, and the peak. */
  memory(): { readonly now: number; readonly peak: number };
  /** Processor time of the control plane since its start, in ms, in steps of 10. */
  cpuMs(): number;
  stop(): Promise<void>;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Resolves with the gRPC address that the control plane prints. */
async function addressOf(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const found = line.match(/gRPC\s+(\S+)/);
    if (found?.[1]) return found[1];
  }
  throw new Error('the control plane ended before it was up');
}

export function megabytes(pid: number, field: string): number {
  const found = readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${field}:\\s+(\\d+) kB`));
  return Math.round(Number(found?.[1] ?? 0) / 1024);
}

/** Processor time of the process in user and kernel mode. The kernel counts in hundredths of a second. */
export function cpuMs(pid: number): number {
  // The second field is the command in parentheses, which may hold spaces; fields 14 and 15 are user and system time.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export async function startDeployment(
  postgresUrl?: string,
  nodeFlags: readonly string[] = [],
  checkout = root,
): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  const store = postgresUrl ? ['--postgres', postgresUrl] : [];
  const args = [
    ...SERVER_FLAGS,
    ...nodeFlags,
    'server/cli/muster.ts',
    'start',
    '--data',
    folder,
    '--grpc-port',
    '0',
    '--http-port',
    '0',
    '--log-level',
    'warn',
    ...store,
  ];
  const child = spawn(process.execPath, args, { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await addressOf(child);
  child.stdout.resume();
  return {
    address,
    memory: () => ({ now: megabytes(child.pid as number, 'VmRSS'), peak: megabytes(child.pid as number, 'VmHWM') }),
    cpuMs: () => cpuMs(child.pid as number),
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface BenchWorker {
  /** Number of handlers that have run. */
  readonly handled: () => number;
  /** Resolves once `more` handlers have run since the call. */
  untilHandled(more: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startWorker(address: string, slots: number, checkout = root): Promise<BenchWorker> {
  const child = fork(join(checkout, 'test/bench/worker.ts'), [address, String(slots)], { stdio: 'inherit' });
  let handled = 0;
  const listeners = new Set<() => void>();
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: { event?: string; handled?: number }) => {
      if (message.event === 'ready') resolve();
      handled = message.handled ?? handled;
      for (const listener of listeners) listener();
    });
    child.once('exit', (code) => reject(new Error(`the worker ended with code ${code}`)));
  });
  await ready;
  return {
    handled: () => handled,
    untilHandled(more) {
      const goal = handled + more;
      return new Promise((resolve) => {
        const listener = () => {
          if (handled < goal) return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
        listener();
      });
    },
    stop: () => end(child),
  };
}
