/** Retry budgets: in no minute do more retries start than allowed, and none is delayed while there is budget. */
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import { BUDGET, definitionOf } from '../../scenario/definitions.ts';
import { type Evidence, isGrant, type Ordered } from '../base/events.ts';
import { Requests } from '../base/requests.ts';

const { SCHEDULED, READY } = stateCodes;
const MINUTE_US = 60_000_000;
/** Maximum difference of the minutes in which a job was stored and counted. */
const SLACK_US = 2_000_000;

interface Waiting {
  /** It was tried before, so its next start is a retry. */
  isRetry: boolean;
  /** Its next scan is in a minute with budget. */
  isPutOff: boolean;
}

export class BudgetChecks {
  readonly #evidence: Evidence;
  readonly #requests: Requests;
  readonly #jobs = new Map<string, Waiting>();
  /** By minute since 1970. */
  readonly #firstAttempts = new Map<number, number>();
  readonly #retries = new Map<number, number>();
  readonly #perhaps = new Map<number, number>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#requests = new Requests(evidence);
  }

  take(row: Ordered): void {
    const facts = this.#evidence.facts.get(row.id);
    if (!facts || facts.cleanupOf !== undefined || !definitionOf.get(facts.definition)?.retryBudget) return;
    if (row.kind === 'create') this.#created(row, Math.max(facts.startUs, row.at));
    const job = this.#jobs.get(row.id);
    if (!job) return;
    if (row.kind === 'attempt' && row.cause !== attemptOutcomes.RELEASED) job.isRetry = true;
    else if (isGrant(row)) job.isPutOff = false;
    else if (row.kind === 'touch' && row.text?.startsWith('waits for room')) this.#putOff(row, job);
    else if (row.kind === 'move' && row.from === SCHEDULED && row.to === READY) this.#promoted(row, job);
  }

  /** Call after the last row: the first attempts of a bound may be stored after a retry. */
  finish(): void {
    for (const [minute, retries] of this.#retries) {
      const first = Math.max(this.#firstAttempts.get(minute) ?? 0, this.#firstAttempts.get(minute - 1) ?? 0);
      const allowed = Math.max(BUDGET.minPerMinute, Math.floor(BUDGET.ratio * first));
      if (retries > allowed)
        this.#violate(
          `${retries} retries began in minute ${minute}, ${allowed} were allowed by ${first} first attempts`,
        );
    }
  }

  #created(row: Ordered, startUs: number): void {
    this.#jobs.set(row.id, { isRetry: false, isPutOff: false });
    for (const minute of new Set([minuteOf(startUs), minuteOf(startUs + SLACK_US)])) add(this.#firstAttempts, minute);
  }

  #promoted(row: Ordered, job: Waiting): void {
    if (!job.isRetry) return;
    // If an operator asked for it meanwhile, it is unknown whether that or its due time caused it.
    const isSure = !this.#requests.underWay(row, 'updateJob');
    add(isSure ? this.#retries : this.#perhaps, minuteOf(this.#beganAt(row)));
    if (!isSure) return;
    this.#evidence.history.count(job.isPutOff ? 'budget: a retry began after it was put off' : 'budget: a retry began');
    job.isPutOff = false;
  }

  #putOff(row: Ordered, job: Waiting): void {
    job.isPutOff = true;
    this.#evidence.history.count('budget: a retry was put off');
    const minute = minuteOf(this.#beganAt(row));
    const begun = (this.#retries.get(minute) ?? 0) + (this.#perhaps.get(minute) ?? 0);
    if (begun < BUDGET.minPerMinute)
      this.#violate(`job ${row.id} was put off after ${begun} retries in minute ${minute} (journal ${row.n})`);
    if (minuteOf(row.nextDue ?? 0) <= minute)
      this.#violate(`job ${row.id} was put off until the same minute (journal ${row.n})`);
  }

  #beganAt(row: Ordered): number {
    return this.#evidence.history.transactionBegan.get(row.at) ?? row.at;
  }

  #violate(what: string): void {
    this.#evidence.history.violate('retry budgets', what);
  }
}

function minuteOf(us: number): number {
  return Math.floor(us / MINUTE_US);
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
