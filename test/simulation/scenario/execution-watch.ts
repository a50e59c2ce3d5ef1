/** Looks at each start of a handler: no job may run twice at once, but in a process that was stopped. */
import type { History } from '../core/history.ts';
import type { Execution, Executions } from '../nodes/sim-runner.ts';

/** A process that was stopped learns within this time of waking, in ms, what it missed. */
export const WAKE_GRACE_MS = 100;

export class ExecutionWatch implements Executions {
  readonly #history: History;
  readonly #onStarted: (jobId: string) => void;
  readonly #running = new Map<string, Set<Execution>>();

  constructor(history: History, onStarted: (jobId: string) => void) {
    this.#history = history;
    this.#onStarted = onStarted;
  }

  started(execution: Execution): void {
    const others = this.#running.get(execution.job) ?? new Set();
    for (const other of others) this.#compare(other, execution);
    this.#running.set(execution.job, others.add(execution));
    this.#onStarted(execution.job);
  }

  over(execution: Execution): void {
    this.#running.get(execution.job)?.delete(execution);
  }

  /** Whether this attempt runs somewhere and nobody has told it to stop. */
  runs(job: string, attempt: number, session: string): boolean {
    const executions = [...(this.#running.get(job) ?? [])];
    return executions.some(
      (one) => one.attempt === attempt && one.session === session && one.signalled === undefined && !one.process.paused,
    );
  }

  #compare(other: Execution, execution: Execution): void {
    if (other.process.pausedWithin(WAKE_GRACE_MS))
      this.#history.count('zombie: an attempt began while a stopped process had the one before');
    else if (other.continues) this.#history.count('overlap: a handler went on without a lease, as its definition says');
    else if (other.signalled !== undefined) this.#history.count('overlap: a handler took its time to stop');
    else {
      // Nobody has told it: that is right only where its time was over, which the record shows.
      const { job, attempt, session } = other;
      const by = `attempt ${execution.attempt} in ${execution.process.name}`;
      this.#history.log(other.process.name, 'overlap', { job, attempt, session, by });
    }
  }
}
