/** The processes of a demo: an embedded control plane and its workers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@muster-jobs/sdk';
import { DemoProcess, type Program } from './processes.ts';

/** Shorter than the defaults (5 s and 15 s), so that a user sees how a lost worker is detected. */
const LEASE = ['--beat-ms', '1000', '--lease-ms', '4000'];
const LONGEST_WAIT_MS = 60_000;
const POLL_EVERY_MS = 20;
/** Time that each may take to stop. Workers that find no control plane any more stop at once. */
const WORKER_GRACE_MS = 3_000;
const CONTROL_PLANE_GRACE_MS = 10_000;

/** Matches the output of `muster start`. */
const ADDRESSES = /gRPC +(\S+)[\s\S]*?HTTP +http:\S+:(\d+)\s/;

const CONTROL_PLANE = 'control plane';
const musterCommand = fileURLToPath(new URL('../../server/cli/muster.ts', import.meta.url));

/** Workers by name; each function returns the program for the control plane's gRPC address. */
export type Workers = Readonly<Record<string, (address: string) => Program>>;

/** A worker's session, as the control plane lists it. */
export type Session = Awaited<ReturnType<Client['listWorkers']>>['workers'][number];

export class Deployment {
  /** Data folder of the embedded control plane; removed with the deployment. */
  readonly dataFolder = mkdtempSync(join(tmpdir(), 'muster-demo-'));
  readonly #workers: Workers;
  readonly #abort = new AbortController();
  readonly #processes = new Map<string, DemoProcess>();
  #client: Client | undefined;
  #address = '';
  #ports = ['--grpc-port', '0', '--http-port', '0'];
  #over = false;

  constructor(workers: Workers) {
    this.#workers = workers;
  }

  /** Aborted, with the reason, by `abort` and when a process ends that was not asked to. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** gRPC address of the control plane. */
  get address(): string {
    return this.#address;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('the control plane has not been started');
    return this.#client;
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
  }

  /** Starts the control plane on free ports; after a kill, on the same ports and with the same folder. */
  async startControlPlane(): Promise<void> {
    const args = ['start', '--data', this.dataFolder, '--log-level', 'warn', ...LEASE, ...this.#ports];
    const program = { command: process.execPath, args: [musterCommand, ...args] };
    const started = this.#start(CONTROL_PLANE, CONTROL_PLANE, program);
    const inTime = AbortSignal.any([this.signal, AbortSignal.timeout(LONGEST_WAIT_MS)]);
    const [, address = '', httpPort = ''] = await started.printed(ADDRESSES, inTime).catch((error: unknown) => {
      if (!started.output || this.signal.aborted) throw error;
      throw new Error(`the control plane does not say where it is; it has printed:\n${started.output}`, {
        cause: error,
      });
    });
    this.#address = address;
    this.#ports = ['--grpc-port', address.replace(/.*:/, ''), '--http-port', httpPort];
    // Patient: a call that finds no control plane is retried, under its own request id, until there is one again.
    this.#client ??= new Client({ address, timeoutMs: 60_000, retry: { maxAttempts: 100, maxBackoffMs: 250 } });
  }

  /** Starts a worker and waits for its session. */
  async startWorker(name: string): Promise<Session> {
    const programFor = this.#workers[name];
    if (programFor === undefined) throw new Error(`there is no worker ${name} to start`);
    const before = new Set((await this.sessions(name)).map(({ sessionId }) => sessionId));
    this.#start(name, `worker ${name}`, programFor(this.#address));
    return this.until(`the session of the worker ${name}`, async () =>
      (await this.sessions(name)).find(({ sessionId }) => !before.has(sessionId)),
    );
  }

  /** Sessions of the workers of this name, or of all workers. */
  async sessions(name?: string): Promise<Session[]> {
    const { workers } = await this.client.listWorkers({}, { signal: this.signal });
    return workers.filter((worker) => name === undefined || worker.name === name);
  }

  /** Polls until there is an answer. */
  async until<T>(what: string, poll: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + LONGEST_WAIT_MS;
    while (performance.now() < deadline) {
      const seen = await poll();
      if (seen !== undefined) return seen;
      await delay(POLL_EVERY_MS, undefined, { signal: this.signal });
    }
    throw new Error(`timed out after ${LONGEST_WAIT_MS / 1_000} s waiting for ${what}`);
  }

  /** Stops the process of this name, but not its children, until `thaw` or `kill`. */
  freeze(name: string): void {
    this.#running(name).freeze();
  }

  thaw(name: string): void {
    this.#running(name).thaw();
  }

  /** Sends SIGKILL. Resolves with the process id once the process is gone. */
  async kill(name: string): Promise<number> {
    const victim = this.#running(name);
    this.#processes.delete(name);
    await victim.kill();
    return victim.pid;
  }

  /** Runs a program that ends by itself, such as a compiler. Rejects with its last output unless it succeeds. */
  async execute(name: string, program: Program, onOutput: (output: string) => void): Promise<void> {
    const launched = this.#launch(name, name, program);
    launched.onOutput(onOutput);
    await launched.succeeded().finally(() => this.#processes.delete(name));
  }

  /** Ends the workers in order. Resolves when they are gone. */
  async stopWorkers(): Promise<void> {
    const workers = [...this.#processes].filter(([name]) => name !== CONTROL_PLANE);
    await Promise.all(workers.map(([, worker]) => worker.stop(WORKER_GRACE_MS)));
  }

  /** Ends every process in order, workers first, and removes the folder. */
  async stop(): Promise<void> {
    this.#over = true;
    this.#client?.close();
    await this.stopWorkers();
    await this.#processes.get(CONTROL_PLANE)?.stop(CONTROL_PLANE_GRACE_MS);
    this.#removeFolder();
  }

  /** Kills everything at once. */
  destroy(): void {
    this.#over = true;
    for (const one of this.#processes.values()) one.destroy();
    this.#removeFolder();
  }

  #running(name: string): DemoProcess {
    const found = this.#processes.get(name);
    if (found === undefined) throw new Error(`the ${name} does not run`);
    return found;
  }

  #start(name: string, label: string, program: Program): DemoProcess {
    const started = this.#launch(name, label, program);
    started.failed.catch((error) => this.abort(error));
    return started;
  }

  #launch(name: string, label: string, program: Program): DemoProcess {
    if (this.#over) throw new Error('the demo is over');
    const launched = new DemoProcess(label, program);
    this.#processes.set(name, launched);
    return launched;
  }

  #removeFolder(): void {
    rmSync(this.dataFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}
