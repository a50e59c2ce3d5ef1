/** Circuit breakers: while one is not closed only its one probe is granted, and each of its transitions has a cause. */
import { durationToMs } from '../../../../sdk/typescript/src/duration.ts';
import type { CircuitBreaker } from '../../../../sdk/typescript/src/gen/muster/v1/circuit_breaker_pb.ts';
import { stateCodes } from '../../../../server/domain/jobs/job-state.ts';
import { attemptOutcomes } from '../../../../server/domain/jobs/run.ts';
import { circuitStates } from '../../../../server/domain/retries/circuit-breaker.ts';
import { BREAKER_OPEN_MS, breakerOf, definitions } from '../../scenario/definitions.ts';
import { clockErrorUs, type Evidence, isGrant, type Ordered } from '../base/events.ts';
import { Requests } from '../base/requests.ts';

type Fate = 'SUCCEEDED' | 'FAILED' | 'GONE';

interface Probe {
  readonly job: string;
  readonly attempt: number;
  /** Possible ends of it: a cancelled one that succeeds after all has two. */
  readonly fates: Set<Fate>;
}

interface Life {
  state: number;
  /** The counted failures; `at` in µs. */
  failures: Pick<Ordered, 'at' | 'order'>[];
  /** In calm weather: the time by which it must have opened, µs. */
  opensBy: number;
  closedAt: number;
  probe: Probe | undefined;
  /** Granted while it is not closed: the same transaction has to make it the probe. */
  granted: Ordered | undefined;
}

interface Reported {
  readonly type: string;
  readonly failureCause: string;
  readonly cause?: Reported;
}

const { CLOSED, OPEN, HALF_OPEN } = circuitStates;
const { READY, ASSIGNED, RUNNING, CANCELLING, SUCCEEDED, FAILED } = stateCodes;
const held: readonly number[] = [ASSIGNED, RUNNING, CANCELLING];
const failed: readonly number[] = [attemptOutcomes.FAILED, attemptOutcomes.TIMED_OUT];
/** A failure is counted after its commit, by a replica that may be slow. */
const COUNT_LATE_MS = 10_000;
/**
 * In calm weather it is counted at once; the window is kept in parts, so that a failure may leave it a little early.
 */
const COUNTED_MS = 1_000;
const KEPT_PART = 0.9;

const ruleOf: ReadonlyMap<string, CircuitBreaker> = new Map(
  definitions.flatMap(({ name, circuitBreaker }) => (circuitBreaker ? [[breakerOf(name) ?? '', circuitBreaker]] : [])),
);

export class BreakerChecks {
  readonly #evidence: Evidence;
  readonly #requests: Requests;
  readonly #lives = new Map<string, Life>();
  readonly #ready = new Set<string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#requests = new Requests(evidence);
  }

  take(row: Ordered): void {
    if (row.kind === 'breaker') this.#step(row);
    const facts = this.#evidence.facts.get(row.id);
    if (row.kind === 'session' || !facts || facts.cleanupOf !== undefined) return;
    const name = breakerOf(facts.definition);
    if (name !== undefined) this.#job(row, name, this.#lifeOf(name));
  }

  /** Call after the last row. */
  finish(): void {
    for (const [name, { granted }] of this.#lives) if (granted) this.#unheld(name, granted);
  }

  #job(row: Ordered, name: string, life: Life): void {
    this.#follow(row, life);
    if (row.kind === 'remove') this.#ready.delete(row.id);
    if (row.kind === 'attempt' && failed.includes(row.cause ?? 0)) this.#fails(row, name, life);
    if (row.kind === 'end' && row.to === FAILED && row.text) this.#fails(row, name, life);
    if (row.kind !== 'move' && row.kind !== 'create') return;
    if (row.to === READY) this.#ready.add(row.id);
    else this.#ready.delete(row.id);
    if (!isGrant(row)) return;
    if (row.at > life.opensBy)
      this.#evidence.history.violate('circuit breakers', `breaker ${name} has not opened (journal ${row.n})`);
    if (life.state === CLOSED) return;
    if (life.granted) this.#unheld(name, life.granted);
    life.granted = row;
  }

  #fails(row: Ordered, name: string, life: Life): void {
    if (!this.#counts(name, JSON.parse(row.text ?? '{}'))) return;
    life.failures.push(row);
    const rule = ruleOf.get(name);
    const from = Math.max(life.closedAt, row.at - durationToMs(rule?.window, 0) * 1000 * KEPT_PART);
    // A person may have closed it while it was closed: that forgets them.
    const counts = ({ at, order }: Pick<Ordered, 'at' | 'order'>) =>
      at > from && !this.#requests.named('breaker', name, order, row.order, 'closeCircuitBreaker');
    const isEnough = life.failures.filter(counts).length >= (rule?.failureThreshold ?? 0);
    if (this.#evidence.profile.name === 'calm' && life.state === CLOSED && isEnough)
      life.opensBy = Math.min(life.opensBy, row.at + COUNTED_MS * 1000);
  }

  #counts(name: string, failure: Reported): boolean {
    const types = ruleOf.get(name)?.types ?? [];
    const isAround = failure.failureCause === 'LOST_TOO_OFTEN' || failure.type === 'TotalTimeout';
    const { type, failureCause } = isAround ? (failure.cause ?? failure) : failure;
    return types.length > 0 ? types.includes(type) : failureCause === 'APPLICATION' || failureCause === 'TIMEOUT';
  }

  /** Follows the probe. */
  #follow(row: Ordered, { probe }: Life): void {
    if (!probe || row.id !== probe.job || row.attempt !== probe.attempt) return;
    const name = breakerOf(this.#evidence.facts.get(row.id)?.definition ?? '') ?? '';
    const ofFailure = () => (this.#counts(name, JSON.parse(row.text ?? '{}')) ? 'FAILED' : 'GONE');
    if (row.kind === 'attempt') probe.fates.add(failed.includes(row.cause ?? 0) ? ofFailure() : 'GONE');
    else if (row.kind === 'end')
      probe.fates.add(row.to === SUCCEEDED ? 'SUCCEEDED' : row.to === FAILED ? ofFailure() : 'GONE');
    else if (row.kind === 'move' && row.to === CANCELLING) probe.fates.add('GONE');
    else if (row.kind === 'move' && !held.includes(row.to ?? 0) && probe.fates.size === 0) probe.fates.add('GONE');
  }

  #step(row: Ordered): void {
    const name = row.text ?? '';
    const life = this.#lifeOf(name);
    const { history } = this.#evidence;
    const step = `${nameOf(row.from)} → ${nameOf(row.to)}`;
    if (life.state !== row.from) this.#violate(row, `was ${nameOf(life.state)}, the journal says ${step}`);
    history.count(`breaker: ${step}`);
    if (row.to === HALF_OPEN) this.#tried(row, name, life);
    else if (row.to === CLOSED) this.#closed(row, name, life);
    else if (row.from === CLOSED) this.#opened(row, name, life);
    else this.#reopened(row, life);
    life.state = row.to ?? 0;
    life.opensBy = Number.POSITIVE_INFINITY;
    if (row.to === CLOSED) life.closedAt = row.at;
  }

  #tried(row: Ordered, name: string, life: Life): void {
    const { granted } = life;
    life.granted = undefined;
    life.probe = { job: row.otherId ?? '', attempt: row.attempt ?? 0, fates: new Set() };
    if (row.from !== OPEN) this.#violate(row, `has a second probe, ${row.otherId}`);
    if ((row.until ?? Number.POSITIVE_INFINITY) > row.at + clockErrorUs(this.#evidence))
      this.#violate(row, `made its probe too early`);
    if (!granted || granted.id !== row.otherId || granted.attempt !== row.attempt || !this.#isTogether(granted, row))
      this.#violate(row, `names ${row.otherId} as its probe, which was not granted with that`);
    if (granted && granted.id !== row.otherId) this.#unheld(name, granted);
  }

  #closed(row: Ordered, name: string, life: Life): void {
    const { history } = this.#evidence;
    if (life.granted) this.#unheld(name, life.granted);
    life.granted = undefined;
    history.count('job waited for a breaker until that was closed', this.#waiting(name));
    if (this.#requests.named('breaker', name, row.order, row.order, 'closeCircuitBreaker')) {
      history.count('breaker closed by a person');
    } else if (!life.probe?.fates.has('SUCCEEDED')) this.#violate(row, 'was closed, and its probe has not succeeded');
    life.probe = undefined;
  }

  #opened(row: Ordered, name: string, { failures }: Life): void {
    const rule = ruleOf.get(name);
    const from = row.at - (durationToMs(rule?.window, 0) + COUNT_LATE_MS) * 1000;
    const found = failures.filter(({ at }) => at >= from).length;
    const threshold = rule?.failureThreshold ?? 0;
    if (found < threshold) this.#violate(row, `was opened after ${found} failures, not ${threshold}`);
    this.#staysOpen(row);
  }

  #reopened(row: Ordered, life: Life): void {
    const fates = life.probe?.fates ?? new Set<Fate>();
    const due = row.nextDue ?? 0;
    const began = this.#evidence.history.transactionBegan.get(row.at) ?? row.at;
    // A statement may come so late that the attempt after a failure is due by then.
    const mayBeLate = due >= began + BREAKER_OPEN_MS * 1_000 && fates.has('FAILED');
    const gone = due <= row.at + clockErrorUs(this.#evidence) && !mayBeLate;
    if (!fates.has(gone ? 'GONE' : 'FAILED'))
      this.#violate(row, `took its probe as ${gone ? 'gone' : 'failed'}, which it was not (${[...fates]})`);
    this.#evidence.history.count(`breaker: probe ${gone ? 'gone' : 'failed'}`);
    if (!gone) this.#staysOpen(row);
    life.probe = undefined;
  }

  /** Counted from the start of the transaction, which precedes the time that the replica used. */
  #staysOpen(row: Ordered): void {
    const began = this.#evidence.history.transactionBegan.get(row.at) ?? row.at;
    const early = began + BREAKER_OPEN_MS * 1000 - (row.nextDue ?? 0) - clockErrorUs(this.#evidence);
    if (early > 0) this.#violate(row, `makes its probe ${early / 1000} ms too early`);
  }

  #waiting(name: string): number {
    const { facts } = this.#evidence;
    return [...this.#ready].filter((job) => breakerOf(facts.get(job)?.definition ?? '') === name).length;
  }

  #isTogether(one: Ordered, other: Ordered): boolean {
    const { transactionBegan } = this.#evidence.history;
    return transactionBegan.get(one.at) === transactionBegan.get(other.at);
  }

  #unheld(name: string, { id, n, attempt }: Ordered): void {
    this.#evidence.history.violate(
      'circuit breakers',
      `job ${id} was granted attempt ${attempt} while breaker ${name} was not closed (journal ${n})`,
    );
  }

  #violate(row: Ordered, what: string): void {
    this.#evidence.history.violate('circuit breakers', `breaker ${row.text} ${what} (journal ${row.n})`);
  }

  #lifeOf(name: string): Life {
    const life = this.#lives.get(name) ?? {
      ...{ state: CLOSED, failures: [], opensBy: Number.POSITIVE_INFINITY, closedAt: 0 },
      ...{ probe: undefined, granted: undefined },
    };
    this.#lives.set(name, life);
    return life;
  }
}

function nameOf(state: number | null): string {
  return Object.entries(circuitStates).find(([, code]) => code === state)?.[0] ?? String(state);
}
