/** One life of a simulated process: its own drifting clock, timers that fire only while it is awake, and its death. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { World } from '../../../server/tools/simulate/world.ts';

export interface Timer {
  cancel(): void;
}

/** Maximum spread in ms of the deliveries that a sleeping process gets when it wakes. */
const WAKE_JITTER = 4;

export class Process {
  readonly name: string;
  readonly random: Prng;
  readonly #world: World;
  readonly #rate: number;
  readonly #offset: number;
  readonly #bornAt: number;
  #alive = true;
  #backlog: (() => void)[] = [];
  #pausedUntil = 0;
  #wokenAt = Number.NEGATIVE_INFINITY;

  /** @param rate Milliseconds of its clock per millisecond of virtual time. */
  constructor(world: World, name: string, random: Prng, rate: number) {
    this.#world = world;
    this.name = name;
    this.random = random;
    this.#rate = rate;
    this.#bornAt = world.now;
    this.#offset = random.between(0, 1e6);
  }

  /** The place of this life: `replica-1.3` is the third life of `replica-1`. */
  get slot(): string {
    return this.name.replace(/\.\d+$/, '');
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#world.now < this.#pausedUntil;
  }

  /** Whether it is stopped, or was until less than `ms` ago: then it may not yet know what it missed. */
  pausedWithin(ms: number): boolean {
    return this.paused || this.#world.now - this.#wokenAt <= ms;
  }

  /** Its monotonic clock, which continues while it is stopped. */
  now(): number {
    return this.#offset + (this.#world.now - this.#bornAt) * this.#rate;
  }

  after(ms: number, run: () => void): Timer {
    let done = false;
    const event = this.#world.after(ms / this.#rate, () => this.deliver(() => done || run()));
    return {
      cancel: () => {
        done = true;
        event.cancel();
      },
    };
  }

  /** Delivers something to the process: at once, or when it wakes; never, if it is dead by then. */
  deliver(run: () => void): void {
    if (!this.#alive) return;
    if (this.paused) this.#backlog.push(run);
    else run();
  }

  /** Stops it, as SIGSTOP does. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Math.ceil(this.#world.now + ms));
    this.#wokenAt = this.#pausedUntil;
    this.#world.at(this.#pausedUntil, () => this.#catchUp());
  }

  /** Ends a pause early. */
  wake(): void {
    if (!this.paused) return;
    this.#pausedUntil = this.#world.now;
    this.#wokenAt = this.#world.now;
    this.#catchUp();
  }

  kill(): void {
    this.#alive = false;
  }

  /** Missed deliveries come nearly at once, in a random order. */
  #catchUp(): void {
    if (this.paused) return;
    for (const run of this.#backlog.splice(0))
      this.#world.after(this.random.next() * WAKE_JITTER, () => this.deliver(run));
  }
}
