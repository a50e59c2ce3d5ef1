/** Checks each start of a handler: no job may run twice at once, except in a process that was stopped. */
import type { History } from '../core/history.ts';
import type { Execution, Executions } from '../nodes/sim-runner.ts';

/** Maximum time in ms in which a woken process learns what it missed. */
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

  /** Whether this attempt runs somewhere without a cancel. */
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
      // It got no cancel, which is right only if its time was over, or that of the other one; the record shows that.
      const { job, attempt, session } = other;
      const by = `attempt ${execution.attempt} in ${execution.process.name}`;
      const begun = { byAttempt: execution.attempt, bySession: execution.session };
      this.#history.log(other.process.name, 'overlap', { job, attempt, session, by, ...begun });
    }
  }
}
