/** Matching submissions: after each transaction a key has at most one job if its definition's rule allows one. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { decodeScript } from '../../nodes/handler-script.ts';
import { ALARM_PERIOD_MS } from '../../scenario/definitions.ts';
import type { Evidence, Ordered } from '../base/events.ts';

const { SCHEDULED } = stateCodes;

export class MatchingChecks {
  readonly #evidence: Evidence;
  /** Open jobs of `single`, and waiting jobs of `edited`, by definition and key. */
  readonly #jobs = new Map<string, Set<string>>();
  /** Jobs of `edited` that were due, or paused: if an operator delays them again, they no longer wait for others. */
  readonly #waited = new Set<string>();
  /** The last job of `alarm`, by key, and its creation time. */
  readonly #last = new Map<string, { readonly job: string; readonly at: number }>();
  readonly #erased = new Set<string>();
  #began = 0;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  take(row: Ordered): void {
    const began = this.#evidence.history.transactionBegan.get(row.at) ?? row.at;
    if (began !== this.#began) this.#checkAll(row.n);
    this.#began = began;
    if (row.kind === 'erase') this.#erased.add(row.id);
    const facts = this.#evidence.facts.get(row.id);
    if (!facts || facts.cleanupOf !== undefined) return;
    const { matching } = decodeScript(facts.input || '{}');
    if (matching === undefined) return;
    const key = `${facts.definition} ${matching}`;
    if (facts.definition === 'alarm' && facts.retryOf === undefined && row.kind === 'record') this.#alarm(row, key);
    if (row.kind !== 'create' && row.kind !== 'move' && row.kind !== 'remove') return;
    const isIn = row.kind !== 'remove' && (facts.definition === 'single' || this.#waits(row, facts.retryOf));
    this.#put(facts.definition, key, row.id, isIn);
    if (row.to !== SCHEDULED) this.#waited.add(row.id);
  }

  finish(): void {
    this.#checkAll(Number.POSITIVE_INFINITY);
  }

  #waits(row: Ordered, retryOf: string | undefined): boolean {
    return row.to === SCHEDULED && row.attempt === 0 && retryOf === undefined && !this.#waited.has(row.id);
  }

  #put(definition: string, key: string, job: string, isIn: boolean): void {
    if (definition === 'alarm') return;
    const jobs = this.#jobs.get(key) ?? new Set();
    this.#jobs.set(key, jobs);
    if (isIn) {
      if (definition === 'edited' && jobs.size > 0)
        this.#evidence.history.count('a job took the place of one that is alike');
      jobs.add(job);
    } else jobs.delete(job);
  }

  #checkAll(n: number): void {
    for (const [key, jobs] of this.#jobs) {
      if (jobs.size <= 1) continue;
      this.#evidence.history.violate('I19 matching', `${[...jobs]} are all there of ${key} (before journal ${n})`);
      jobs.clear();
    }
  }

  /** A throttle reads the database's clock: docs/decisions/0020. */
  #alarm(row: Ordered, key: string): void {
    const last = this.#last.get(key);
    this.#last.set(key, { job: row.id, at: row.at });
    if (!last || this.#erased.has(last.job) || row.at - last.at >= ALARM_PERIOD_MS * 1_000) return;
    if (this.#isClockWrong(row.at) || this.#isClockWrong(last.at)) return;
    this.#evidence.history.violate(
      'I19 matching',
      `${row.id} of ${key} was made ${row.at - last.at} µs after ${last.job}`,
    );
  }

  #isClockWrong(at: number): boolean {
    const { transactionBegan, underWrongClock } = this.#evidence.history;
    return underWrongClock.has(transactionBegan.get(at) ?? at);
  }
}
