/**
 * Soft deadlines: a job has missed its own if, and only if, it ended after it; this is found once, and soon; and a
 * job whose definition says so is asked to stop then, or gets a higher priority.
 */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { deadlineReactions } from '../../../../server/domain/jobs/soft-deadline.ts';
import { RAISED_PRIORITY } from '../../scenario/definitions.ts';
import { clockErrorUs, type Evidence, names, type Ordered } from '../base/events.ts';
import { lateness } from '../base/promptness.ts';

const INVARIANT = 'soft deadlines';
const { CANCELLING, CANCELLED } = stateCodes;

interface Deadline {
  readonly us: number;
  readonly reaction: number;
  closed: boolean;
  missUs: number | undefined;
}

export class DeadlineChecks {
  readonly #evidence: Evidence;
  readonly #deadlines = new Map<string, Deadline>();
  readonly #states = new Map<string, number>();
  readonly #ends = new Map<string, Ordered>();
  readonly #priorities = new Map<string, number>();
  /** Jobs that must be stopped by their next change. */
  readonly #toStop = new Set<string>();
  /** Jobs whose priority must be raised. */
  readonly #toRaise = new Set<string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    const { kind, id, to } = row;
    if (kind === 'deadline') this.#take(row);
    if ((kind === 'record' || kind === 'priority') && row.cause !== null) this.#prioritized(id, row.cause);
    if ((kind !== 'create' && kind !== 'move' && kind !== 'end') || to === null) return;
    this.#states.set(id, to);
    if (kind === 'end') this.#ends.set(id, row);
    if (this.#toStop.delete(id) && to !== CANCELLING && to !== CANCELLED)
      this.#violate(`job ${id} missed its soft deadline, and became ${names[to]} instead of being stopped`);
  }

  finish(): void {
    for (const [id, deadline] of this.#deadlines) {
      const end = this.#ends.get(id);
      if (end) this.#checkEnded(id, deadline, end);
    }
    for (const id of this.#toRaise)
      this.#violate(`job ${id} missed its soft deadline, and its priority was not raised`);
    for (const id of this.#toStop) this.#violate(`job ${id} missed its soft deadline, and was not stopped`);
  }

  #take(row: Ordered): void {
    const { id, at, cause, until, nextDue } = row;
    if (until === null) return;
    if (cause !== null) {
      this.#deadlines.set(id, { us: until, reaction: cause, closed: false, missUs: undefined });
      return;
    }
    const deadline = this.#deadlines.get(id);
    if (!deadline) throw new Error(`the soft deadline of job ${id} was closed, and never made`);
    if (deadline.closed) this.#violate(`the soft deadline of job ${id} was closed twice`);
    if (at < deadline.us - clockErrorUs(this.#evidence))
      this.#violate(`the soft deadline of job ${id} was closed before its time`);
    if (lateness(this.#evidence.profile, row, deadline.us) > clockErrorUs(this.#evidence))
      this.#violate(`the soft deadline of job ${id} was closed ${at - deadline.us} µs after its time`);
    deadline.closed = true;
    deadline.missUs = nextDue ?? undefined;
    if (nextDue !== null) this.#missed(id, deadline);
  }

  #prioritized(id: string, priority: number): void {
    this.#priorities.set(id, priority);
    if (priority === RAISED_PRIORITY) this.#toRaise.delete(id);
  }

  #missed(id: string, { reaction }: Deadline): void {
    const state = this.#states.get(id);
    const isOpen = !this.#ends.has(id);
    this.#evidence.history.count(`soft deadline missed: ${isOpen ? 'open' : 'ended late'}`);
    if (!isOpen || state === CANCELLING) return;
    if (reaction === deadlineReactions.CANCEL) this.#toStop.add(id);
    const isHigh = (this.#priorities.get(id) ?? 0) >= RAISED_PRIORITY;
    if (reaction === deadlineReactions.RAISE_PRIORITY && !isHigh) this.#toRaise.add(id);
  }

  #checkEnded(id: string, { us, closed, missUs }: Deadline, end: Ordered): void {
    const error = clockErrorUs(this.#evidence);
    // By the database's clock, as it was at the end: what the record says.
    const late = (end.nextDue ?? end.at) - us;
    if (late > 0 && closed && missUs === undefined)
      this.#violate(`job ${id} ended ${late} µs after its soft deadline, which counts as met`);
    // A job that had missed it may end while the clock is behind.
    if (late <= 0 && error === 0 && missUs !== undefined)
      this.#violate(`job ${id} ended ${-late} µs before its soft deadline, which counts as missed`);
    if (late <= 0 && closed) this.#evidence.history.count('soft deadline met');
    const last = this.#evidence.journal.at(-1);
    if (!closed && last && lateness(this.#evidence.profile, last, us) > error)
      this.#violate(`nobody has looked at the soft deadline of job ${id} ${last.at - us} µs after it`);
  }

  #violate(text: string): void {
    this.#evidence.history.violate(INVARIANT, text);
  }
}
