/** Worker processes: each place in the fleet has one life after another, each with its own name. */
import { join } from 'node:path';
import { eventually } from '../../support/base/eventually.ts';
import { Child, type ChildOptions } from './child.ts';
import { epochMs } from './machine/clocks.ts';
import type { Line } from './network/line.ts';
import { recordsOf, type WorkerRecord } from './records.ts';

const root = new URL('../../../', import.meta.url).pathname;
const READY_MS = 120_000;
/** A worker that can not start must not be restarted forever. */
const MAX_LIVES = 60;

type Command = readonly [program: string, ...args: string[]];

export interface WorkerPlan {
  readonly name: string;
  readonly language: 'typescript' | 'python' | ConformanceWorker;
  readonly slots: number;
  /** The checkout of a worker with records and its SDK. Default: this one. */
  readonly checkout?: string;
}

/** A conformance worker: it has the handler `script` alone, and keeps no records. */
export interface ConformanceWorker {
  readonly command: Command;
}

const programs = {
  typescript: [process.execPath, 'test/chaos/workers/worker.ts'],
  python: [join(root, '.tools/venv/bin/python'), 'test/chaos/workers/worker.py'],
} as const;

export interface WorkerParts {
  readonly place: WorkerPlan;
  readonly line: Line;
  readonly recordFolder: string;
  /** Whether a life has a session. */
  readonly isOpen: (name: string) => Promise<boolean>;
  /** Added to the environment of each life. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export class WorkerProcess {
  readonly place: WorkerPlan;
  /** Number of lives so far. */
  lives = 0;
  /** Number of lives that ended by themselves. */
  crashes = 0;
  /** Last output of lives that ended by themselves: neither killed nor asked to end. */
  readonly faults: string[] = [];
  readonly line: Line;
  readonly #folder: string;
  readonly #isOpen: (name: string) => Promise<boolean>;
  readonly #env: Readonly<Record<string, string>>;
  #child: Child | undefined;
  #wanted = false;
  #stopped = false;

  constructor({ place, line, recordFolder, isOpen, env = {} }: WorkerParts) {
    this.place = place;
    this.line = line;
    this.#folder = recordFolder;
    this.#isOpen = isOpen;
    this.#env = { ...env, MUSTER_CHAOS_EPOCH_MS: String(epochMs()) };
  }

  /** Name of the current life. */
  get name(): string {
    return `${this.place.name}-${this.lives}`;
  }

  get pid(): number | undefined {
    return this.#child?.alive ? this.#child.pid : undefined;
  }

  /** Its processes. */
  group(): number[] {
    return this.#child?.group() ?? [];
  }

  /** Starts a life; whenever it ends by itself, another one follows. */
  start(): void {
    this.#wanted = true;
    this.#live();
  }

  /** Resolves when the current life has a session. */
  async ready(): Promise<void> {
    const isReady = () => this.#isOpen(this.name);
    await eventually(`a life of ${this.place.name} is ready`, isReady, { timeoutMs: READY_MS, everyMs: 20 }).catch(
      (error) => {
        throw new Error(`${error.message}\n${this.lines.slice(-20).join('\n')}`);
      },
    );
  }

  /** The current records of this life. */
  records(): WorkerRecord[] {
    return recordsOf(this.#folder, this.name);
  }

  /** SIGKILL at any moment. Another life follows. */
  async kill(): Promise<void> {
    const child = this.#child;
    await child?.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** Suspends the process until `thaw`. */
  freeze(): void {
    this.#stopped = true;
    this.#child?.signalGroup('SIGSTOP');
  }

  thaw(): void {
    this.#stopped = false;
    this.#child?.signalGroup('SIGCONT');
  }

  get frozen(): boolean {
    return this.#stopped;
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.#wanted = false;
    if (this.#stopped) this.thaw();
    await this.#child?.stop(20_000);
  }

  /** Ends it and its children by force; no life follows. */
  destroy(): void {
    this.#wanted = false;
    this.#child?.signalGroup('SIGKILL');
  }

  #live(): void {
    this.lives++;
    const child = new Child({ name: this.name, ...this.#program() });
    this.#child = child;
    this.#stopped = false;
    void child.ended.then((how) => {
      if (how !== 'SIGKILL' && how !== 0)
        this.faults.push(`${child.name} ended by ${how}: ${child.lines.slice(-10).join(' | ')}`);
      if (!this.#wanted) return;
      this.crashes++;
      if (this.lives < MAX_LIVES) this.#live();
    });
  }

  #program(): Pick<ChildOptions, 'command' | 'args' | 'folder' | 'env'> {
    const { language, slots, checkout } = this.place;
    if (typeof language === 'string') {
      const [command, program] = programs[language];
      const file = join(this.#folder, this.name);
      const args = [program, this.line.address, this.name, file, String(slots)];
      if (checkout === undefined) return { command, args, env: this.#env };
      return { command, args, folder: checkout, env: { ...this.#env, PYTHONPATH: join(checkout, 'sdk/python/src') } };
    }
    const [command, ...args] = language.command;
    const place = { MUSTER_ADDRESS: this.line.sharedAddress, MUSTER_WORKER_NAME: this.name };
    return { command, args, env: { ...this.#env, ...place, MUSTER_SLOTS: String(slots) } };
  }

  /** Last output lines of the current life. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }
}
