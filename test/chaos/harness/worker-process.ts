/** Worker processes: each place in the fleet has one life after another, each with its own name. */
import { join } from 'node:path';
import { eventually } from '../../support/base/eventually.ts';
import { Child } from './child.ts';
import type { Line } from './line.ts';
import { recordsOf, type WorkerRecord } from './records.ts';

const root = new URL('../../../', import.meta.url).pathname;
const READY_MS = 120_000;
/** A worker that can not start must not be restarted forever. */
const MAX_LIVES = 60;

export interface WorkerPlan {
  readonly name: string;
  readonly language: 'typescript' | 'python';
  readonly slots: number;
}

const programs = {
  typescript: { command: process.execPath, program: 'test/chaos/workers/worker.ts' },
  python: { command: join(root, '.tools/venv/bin/python'), program: 'test/chaos/workers/worker.py' },
};

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
  #child: Child | undefined;
  #wanted = false;
  #stopped = false;

  constructor(place: WorkerPlan, line: Line, recordFolder: string) {
    this.place = place;
    this.line = line;
    this.#folder = recordFolder;
  }

  /** Name of the current life. */
  get name(): string {
    return `${this.place.name}-${this.lives}`;
  }

  get pid(): number | undefined {
    return this.#child?.alive ? this.#child.pid : undefined;
  }

  /** Starts a life; whenever it ends by itself, another one follows. */
  start(): void {
    this.#wanted = true;
    this.#live();
  }

  /** Resolves when the current life accepts jobs. */
  async ready(): Promise<void> {
    const isReadyNow = () => this.records().some(isReady);
    await eventually(`a life of ${this.place.name} is ready`, isReadyNow, { timeoutMs: READY_MS, everyMs: 20 }).catch(
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
    const { command, program } = programs[this.place.language];
    const file = join(this.#folder, this.name);
    const child = new Child({
      name: this.name,
      command,
      args: [program, this.line.address, this.name, file, String(this.place.slots)],
    });
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

  /** Last output lines of the current life. */
  get lines(): readonly string[] {
    return this.#child?.lines ?? [];
  }
}

function isReady(record: WorkerRecord): boolean {
  return record.event === 'ready' || (record.event === 'process' && record.sessionPid !== undefined);
}
