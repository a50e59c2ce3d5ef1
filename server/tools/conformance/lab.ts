/** A worker process, and the control plane that only this worker talks to. */

import type { WallClock } from './clocks/wall-clock.ts';
import type { Bus } from './plane/bus.ts';
import { ControlPlane, type Terms } from './plane/control-plane.ts';
import { WorkerProcess } from './worker-process.ts';

export const WORKER_NAME = 'conformance';
export const DEFAULT_SLOTS = 10;
export const DEFAULT_TERMS: Terms = { beatMs: 1_000, leaseMs: 15_000, maxPayload: 524_288, accessMs: 3_600_000 };

export interface LabOptions {
  readonly command: readonly string[];
  readonly bus: Bus;
  readonly slots: number;
  readonly terms: Terms;
  readonly wallClock?: WallClock | undefined;
}

export class Lab {
  readonly plane: ControlPlane;
  readonly slots: number;
  /** The worker's own wall clock, which steps change. Undefined: it uses the machine's. */
  readonly wallClock: WallClock | undefined;
  readonly #command: readonly string[];
  readonly #waiting = new Set<() => void>();
  readonly #started = Promise.withResolvers<void>();
  #process: WorkerProcess | undefined;

  private constructor(plane: ControlPlane, { command, slots, wallClock }: LabOptions) {
    this.plane = plane;
    this.slots = slots;
    this.#command = command;
    this.wallClock = wallClock;
  }

  static async open(options: LabOptions): Promise<Lab> {
    let lab: Lab | undefined;
    const changed = () => lab?.changed();
    const plane = await ControlPlane.start(options.bus, options.terms, changed);
    lab = new Lab(plane, options);
    return lab;
  }

  get process(): WorkerProcess | undefined {
    return this.#process;
  }

  /** Resolves when the worker has made a call, or never will. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  /** No effect if it runs. */
  startProcess(): void {
    const env = {
      MUSTER_ADDRESS: this.plane.address,
      MUSTER_WORKER_NAME: WORKER_NAME,
      MUSTER_SLOTS: String(this.slots),
      ...this.wallClock?.environment,
    };
    this.#process ??= new WorkerProcess(this.#command, env, () => this.changed());
  }

  changed(): void {
    if (this.plane.calls.length > 0 || this.#process?.ended) this.#started.resolve();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Resolves when the worker has sent something, or after `ms`. */
  nextChange(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  async close(): Promise<void> {
    this.#process?.killAll();
    this.#started.resolve();
    await this.plane.stop();
    this.wallClock?.remove();
  }
}
