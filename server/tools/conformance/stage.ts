/** The context of a case's steps: its worker, its control plane, and its named attempts. */
import { create } from '@bufbuild/protobuf';
import { type Assignment, AssignmentSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { Unfulfilled } from './failures.ts';
import type { Lab } from './lab.ts';
import type { GrantedCredit } from './ledger.ts';
import { Attempt } from './plane/attempt.ts';
import type { ControlPlane } from './plane/control-plane.ts';
import type { Session } from './plane/session.ts';
import type { Prng } from './prng.ts';
import { endText } from './worker-process.ts';

/** A worker that has not done something after this time never will. */
const PATIENCE_MS = 15_000;
/** Interval at which conditions are checked without a message from the worker. */
const POLL_MS = 20;

export interface StageOptions {
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

export interface Waiting {
  /** Default: the timeout of the run. */
  readonly withinMs?: number;
  /** Whether the worker may end meanwhile. */
  readonly mayEnd?: boolean;
}

export class Stage {
  readonly lab: Lab;
  readonly prng: Prng;
  readonly attempts = new Map<string, Attempt>();
  /** Values that steps leave for later steps. */
  readonly kept = new Map<string, number>();
  readonly signal: AbortSignal;
  readonly #patienceMs: number;
  #mayEnd = false;

  constructor(lab: Lab, prng: Prng, options: StageOptions) {
    this.lab = lab;
    this.prng = prng;
    this.signal = options.signal;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  get plane(): ControlPlane {
    return this.lab.plane;
  }

  /** @throws Unfulfilled if there is none. */
  get session(): Session {
    const { session } = this.plane;
    if (!session) throw new Unfulfilled('the worker has not opened a session');
    return session;
  }

  attempt(name: string): Attempt {
    const found = this.attempts.get(name);
    if (!found) throw new Error(`no attempt of the case is called ${name}`);
    return found;
  }

  /** From now on the process may end. */
  allowEnd(): void {
    this.#mayEnd = true;
  }

  /** A new attempt of a new job. The session knows it, but it is not sent. */
  newAttempt(name: string, init: Omit<Partial<Assignment>, '$typeName'>): Attempt {
    const assignment = create(AssignmentSchema, {
      jobId: this.prng.uuid(),
      attempt: 1,
      definition: 'conformance',
      definitionVersion: 1,
      namespace: 'default',
      ...init,
    });
    const attempt = new Attempt(name, assignment);
    this.attempts.set(name, attempt);
    this.session.attempts.set(attempt.key, attempt);
    return attempt;
  }

  /**
   * Spends a permit of a credit that the server would use and, if given, that arrived within `withinMs`; waits for one.
   */
  spend(isPrefetch: boolean, withinMs?: number): Promise<GrantedCredit> {
    const kind = isPrefetch ? 'to prefetch' : 'for a slot';
    return this.until(`a credit ${kind}`, () => this.session.ledger.spend(isPrefetch, performance.now(), withinMs));
  }

  /**
   * The first result of `ask` that is not false or undefined. An error of `ask` ends the wait.
   *
   * @throws Unfulfilled on timeout, if the worker has ended, or if it has broken a rule that always applies.
   */
  async until<T>(what: string, ask: () => T | undefined | false, waiting: Waiting = {}): Promise<T> {
    const { withinMs = this.#patienceMs } = waiting;
    const deadline = performance.now() + withinMs;
    for (;;) {
      this.signal.throwIfAborted();
      this.checkRules();
      const found = ask();
      if (found !== undefined && found !== false) return found;
      this.#checkAlive(what, waiting.mayEnd ?? false);
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Unfulfilled(`waited ${withinMs} ms in vain for ${what}`);
      await this.lab.nextChange(Math.min(leftMs, POLL_MS));
    }
  }

  /** Waits; `ask` must find nothing meanwhile. */
  async never(what: string, ask: () => unknown, forMs: number): Promise<void> {
    const end = performance.now() + forMs;
    for (;;) {
      this.signal.throwIfAborted();
      this.checkRules();
      if (ask()) throw new Unfulfilled(`unexpected: ${what}`);
      this.#checkAlive(what, false);
      const leftMs = end - performance.now();
      if (leftMs <= 0) return;
      await this.lab.nextChange(Math.min(leftMs, POLL_MS));
    }
  }

  checkRules(): void {
    const [first] = this.plane.watch.violations;
    if (first) throw new Unfulfilled(`${first.rule}: ${first.text}`);
  }

  #checkAlive(what: string, mayEnd: boolean): void {
    const { process } = this.lab;
    if (!process?.ended || mayEnd || this.#mayEnd) return;
    if (process.startFault) throw new Unfulfilled(`the worker could not be started: ${process.startFault.message}`);
    throw new Unfulfilled(`the worker ended (${endText(process.ended)}) before ${what}`);
  }
}
