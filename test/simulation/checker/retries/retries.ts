/**
 * I5 and I16: the reaction to each failure follows the policy, by a second implementation, and comes not before its
 * time.
 */
import { durationToMs } from '../../../../sdk/typescript/src/duration.ts';
import {
  Backoff,
  ExhaustionAction,
  Jitter,
  RetryAction,
  RetryCause,
  type RetryPolicy,
  type RetryRule,
} from '../../../../sdk/typescript/src/gen/muster/v1/retry_policy_pb.ts';
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import { CLEANUP_MAX_ATTEMPTS, definitionOf } from '../../scenario/definitions.ts';
import { clockErrorUs, type Evidence, type Ordered } from '../base/events.ts';

interface Reported {
  readonly type: string;
  readonly failureCause: string;
  readonly nonRetryable: boolean;
  readonly retryDelayMs?: number;
  readonly exitCode?: number;
}

interface Verdict {
  /** `usual`: no rule applies, and it is requeued as a lost attempt. `exhaust`: it waits for a person, who may begin anew. */
  readonly next: 'retry' | 'pause' | 'exhaust' | 'stop' | 'usual';
  readonly counted: boolean;
  /** Minimum time before its next assignment, in ms. */
  readonly atLeastMs: number;
}

export interface RetryLife {
  counted: number;
  /** Failures that a limit counts, by cause. */
  readonly failed: Map<RetryCause, number>;
  /** As stored with the last closed attempt. */
  lastFailure: string | null;
  /** The verdict on the last closed attempt. */
  verdict: Verdict | undefined;
  /** The earliest time of the next assignment; µs. */
  earliestUs: number;
  /** It has no attempt left, and is PAUSED. */
  exhausted: boolean;
}

const causes: Readonly<Record<string, RetryCause>> = {
  APPLICATION: RetryCause.APPLICATION,
  TIMEOUT: RetryCause.TIMEOUT,
  LOST_WORKER: RetryCause.LOST_WORKER,
  INFRASTRUCTURE: RetryCause.INFRASTRUCTURE,
  LEASE_LOST: RetryCause.INFRASTRUCTURE,
  SESSION_CLOSED: RetryCause.INFRASTRUCTURE,
};
const lostOutcomes: readonly number[] = [
  attemptOutcomes.ABORTED,
  attemptOutcomes.LAPSED,
  attemptOutcomes.SESSION_CLOSED,
];
/** Ends that no policy decides: too many losses, and no time left. */
const otherEnds: ReadonlySet<string> = new Set(['Poison', 'LostTooOften', 'TotalTimeout']);

export class RetryChecks {
  readonly #evidence: Evidence;
  readonly #lives = new Map<string, RetryLife>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  /** An attempt was closed, and its job continues. `byOutage`: its session was closed in a mass lapse. */
  closed(row: Ordered, byOutage: boolean): void {
    const life = this.#lifeOf(row.id);
    life.lastFailure = row.text;
    if (row.text === null) return;
    const verdict = this.#judge(row, life, JSON.parse(row.text), {
      lost: lostOutcomes.includes(row.cause ?? 0),
      byOutage,
    });
    if (verdict.counted !== (row.counted === 1))
      this.#violate('I5 attempts rise', row, `counts attempt ${row.attempt}: ${row.counted}, ${textOf(verdict)}`);
    if (verdict.next === 'stop') this.#violate('I16 retries', row, `continues after ${row.text}, ${textOf(verdict)}`);
    life.counted += +verdict.counted;
    if (verdict.counted) this.#evidence.history.count('retried after a failure');
    life.verdict = verdict;
  }

  /** Follows `closed`: the new state of the job. */
  continued(row: Ordered, to: 'PAUSED' | 'SCHEDULED' | 'READY'): void {
    const life = this.#lifeOf(row.id);
    const { verdict } = life;
    life.verdict = undefined;
    if (life.exhausted && !verdict && to !== 'PAUSED') this.#beginAnew(life);
    if (row.counted !== life.counted)
      this.#violate('I5 attempts rise', row, `counts ${row.counted} attempts, it should be ${life.counted}`);
    if (!verdict) return;
    life.exhausted = verdict.next === 'exhaust';
    const isPaused = life.exhausted || verdict.next === 'pause' || row.stopTo === stateCodes.PAUSED;
    if (isPaused !== (to === 'PAUSED') || (!isPaused && verdict.next === 'retry' && to !== 'SCHEDULED'))
      this.#violate('I16 retries', row, `went to ${to}, ${textOf(verdict)}`);
    life.earliestUs = (this.#evidence.history.transactionBegan.get(row.at) ?? row.at) + verdict.atLeastMs * 1000;
    if (verdict.atLeastMs > 1) this.#evidence.history.count(`waited: ${this.#definition(row.id)}`);
  }

  /** Somebody resumed it after its last attempt. */
  #beginAnew(life: RetryLife): void {
    this.#evidence.history.count('resumed after its last attempt');
    life.exhausted = false;
    life.counted = 0;
    life.failed.clear();
  }

  /** Somebody ended it while it was PAUSED: with the failure of its last attempt. */
  givenUp(row: Ordered): void {
    this.#evidence.history.count('given up after its last attempt');
    const { lastFailure } = this.#lifeOf(row.id);
    if (row.text !== lastFailure)
      this.#violate('I16 retries', row, `was given up with ${row.text}, not ${lastFailure}`);
  }

  /** An operator changed its run time. */
  moved(row: Ordered): void {
    this.#lifeOf(row.id).earliestUs = 0;
  }

  granted(row: Ordered): void {
    const life = this.#lifeOf(row.id);
    const early = life.earliestUs - row.at - clockErrorUs(this.#evidence);
    if (early > 0)
      this.#violate(
        'I16 retries',
        row,
        `was granted attempt ${row.attempt} ${early / 1000} ms before its backoff was over`,
      );
    if (life.counted >= this.#maxAttempts(row.id))
      this.#violate('I5 attempts rise', row, `was granted attempt ${row.attempt} after ${life.counted} that count`);
  }

  /** It ended FAILED, from an open attempt. */
  failed(row: Ordered, byOutage: boolean): void {
    const failure: Reported = JSON.parse(row.text ?? '{}');
    if (otherEnds.has(failure.type)) return;
    const lost = ['LOST_WORKER', 'LEASE_LOST', 'SESSION_CLOSED'].includes(failure.failureCause);
    const verdict = this.#judge(row, this.#lifeOf(row.id), failure, { lost, byOutage });
    if (verdict.next !== 'stop') this.#violate('I16 retries', row, `ended with ${row.text}, ${textOf(verdict)}`);
  }

  #judge(row: Ordered, life: RetryLife, failure: Reported, how: { lost: boolean; byOutage: boolean }): Verdict {
    const policy = definitionOf.get(this.#definition(row.id))?.retryPolicy as RetryPolicy;
    const isCleanup = this.#evidence.facts.get(row.id)?.cleanupOf !== undefined;
    const cause = causes[failure.failureCause] ?? RetryCause.APPLICATION;
    const rule = isCleanup ? undefined : policy.rules.find((one) => matches(one, failure, cause, how.lost));
    const action = rule?.action;
    if (action !== undefined)
      this.#evidence.history.count(`rule: ${nameOf(RetryAction, action)}${how.lost ? ' of a loss' : ''}`);
    const own = cause === RetryCause.APPLICATION || cause === RetryCause.TIMEOUT;
    const continues = action === RetryAction.RETRY || action === RetryAction.PAUSE;
    const counted = !how.byOutage && action !== RetryAction.IGNORE && (own || continues);
    const stop = { next: 'stop', counted, atLeastMs: 0 } as const;
    const last = !isCleanup && policy.onExhaustion === ExhaustionAction.PAUSE ? 'exhaust' : 'stop';
    const over = { ...stop, next: last } as const;
    if (otherEnds.has(failure.type)) return { ...over, counted: false };
    if (failure.nonRetryable) return stop;
    if (!rule && !how.lost && !isCleanup && policy.nonRetryableTypes.includes(failure.type)) return stop;
    if (action === RetryAction.FAIL) return stop;
    if (counted && life.counted + 1 >= this.#maxAttempts(row.id)) return over;
    if (!isCleanup && !how.byOutage && action !== RetryAction.IGNORE && this.#overLimit(policy, life, cause))
      return over;
    if (action === RetryAction.PAUSE) return { next: 'pause', counted, atLeastMs: 0 };
    if (how.lost && !rule) return { next: 'usual', counted, atLeastMs: 0 };
    const ruledMs = rule?.delay && durationToMs(rule.delay, 0);
    const backoff = isCleanup || policy.jitter !== Jitter.NONE ? 1 : bound(policy, counted ? life.counted + 1 : 1);
    return { next: 'retry', counted, atLeastMs: Math.max(1, failure.retryDelayMs ?? ruledMs ?? backoff) };
  }

  /** Counts one more failure of the cause. */
  #overLimit({ limits }: RetryPolicy, life: RetryLife, cause: RetryCause): boolean {
    if (!limits) return false;
    const { application, timeout, lostWorker, infrastructure } = limits;
    const most = [0, application, timeout, lostWorker, infrastructure][cause] ?? 0;
    const failed = (life.failed.get(cause) ?? 0) + 1;
    life.failed.set(cause, failed);
    if (most === 0 || failed < most) return false;
    this.#evidence.history.count(`limit: ${nameOf(RetryCause, cause)}`);
    return true;
  }

  #maxAttempts(job: string): number {
    if (this.#evidence.facts.get(job)?.cleanupOf !== undefined) return CLEANUP_MAX_ATTEMPTS;
    return definitionOf.get(this.#definition(job))?.retryPolicy?.maxAttempts ?? 0;
  }

  #definition(job: string): string {
    return this.#evidence.facts.get(job)?.definition ?? '';
  }

  #lifeOf(job: string): RetryLife {
    const life = this.#lives.get(job) ?? {
      counted: 0,
      failed: new Map(),
      lastFailure: null,
      verdict: undefined,
      earliestUs: 0,
      exhausted: false,
    };
    this.#lives.set(job, life);
    return life;
  }

  #violate(invariant: string, row: Ordered, what: string): void {
    const { history } = this.#evidence;
    history.violate(
      invariant,
      `job ${row.id} (${this.#definition(row.id)}) ${what} (journal ${row.n}, order ${row.order})`,
    );
  }
}

function nameOf(values: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(values).find((name) => values[name] === value) ?? String(value);
}

function textOf({ next, counted, atLeastMs }: Verdict): string {
  return `and the policy says ${next} after ${atLeastMs} ms, ${counted ? 'counted' : 'not counted'}`;
}

function matches(rule: RetryRule, failure: Reported, cause: RetryCause, lost: boolean): boolean {
  if (lost && rule.causes.length === 0) return false;
  if (rule.types.length > 0 && !rule.types.includes(failure.type)) return false;
  if (rule.exitCodes.length > 0 && !rule.exitCodes.includes(failure.exitCode ?? 0)) return false;
  return rule.causes.length === 0 || rule.causes.includes(cause);
}

function bound({ backoff, minBackoff, maxBackoff, delays }: RetryPolicy, retry: number): number {
  const ms = (duration: typeof minBackoff) => durationToMs(duration, 0);
  switch (backoff) {
    case Backoff.LINEAR:
      return Math.min(ms(maxBackoff), ms(minBackoff) * retry);
    case Backoff.CONSTANT:
      return ms(minBackoff);
    case Backoff.LIST:
      return ms(delays[Math.min(retry, delays.length) - 1]);
    default:
      return ms(minBackoff);
  }
}
