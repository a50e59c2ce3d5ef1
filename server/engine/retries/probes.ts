/** Probes open circuit breakers: when it is time, one job is tried; its outcome closes the breaker or keeps it open. */

import { afterProbe, countsAt, isProbeDue, type ProbeFate, reported } from '../../domain/retries/circuit-breaker.ts';
import type { Announcer } from '../announcer.ts';
import type { DbClock } from '../base/db-clock.ts';
import { readPages } from '../base/pages.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import { isSingleLane, type Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { CreditClass, UnspentCredits } from '../dispatch/unspent-credits.ts';
import { Loop, type LoopParts } from '../loop.ts';
import type { OpenBreaker } from '../ports/breakers.ts';
import type { ClaimedJob } from '../ports/dispatch.ts';
import type { LaneHead } from '../ports/lanes.ts';
import type { Clock } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';

const ROUND_MS = 1_000;
/** Max time of a round's probes: gates and outcomes wait for its end. The next round continues with the others. */
const MAX_PROBES_MS = 5_000;
/** Max sessions offered for a probe: one that has closed meanwhile, or holds a suspect, takes none. */
const MAX_PERMITS = 100;
/** Breakers per page. */
const PAGE = 500;
/** Lanes per page. */
const LANES_PAGE = 100;
const FIRST = { namespace: '', name: '' };
const FIRST_HEAD: LaneHead = { laneId: 0, rank: Number.MIN_SAFE_INTEGER };

const keyOf = ({ namespace, name }: OpenBreaker) => `${namespace}/${name}`;

export interface ProbesParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly clock: Clock;
  readonly store: Pick<
    Store,
    'readOpenBreakers' | 'changeBreakers' | 'alignGatedLanes' | 'readLanesToProbe' | 'probeBreaker'
  >;
  readonly dbClock: Pick<DbClock, 'trusted' | 'nowUs'>;
  readonly lanes: Lanes;
  readonly credits: UnspentCredits;
  readonly dispatcher: Dispatcher;
  readonly limits: Pick<Limits, 'limitsToClaim'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

export class Probes {
  readonly #parts: ProbesParts;
  /** Jobs that are running probes, as far as this replica knows. */
  #tried = new Set<string>();
  /** The breaker with which the next round begins, unless that is the first one. */
  #next: string | undefined;
  /** Lanes after which the search for a job continues, by breaker. */
  readonly #searched = new Map<string, LaneHead>();
  readonly #loop: Loop;

  constructor(parts: ProbesParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'circuit breakers', everyMs: ROUND_MS, run: () => this.#run() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** These jobs have changed or ended: if one is a probe, its outcome is read now, not in the next round. */
  notify(jobIds: readonly string[]): void {
    if (this.#tried.size > 0 && jobIds.some((jobId) => this.#tried.has(jobId))) this.#loop.wake();
  }

  async #run(): Promise<void> {
    const heads = await this.#parts.store.alignGatedLanes();
    this.#parts.announcer.committed({ ready: heads });
    const breakers = await readPages<OpenBreaker>(PAGE, (last) =>
      this.#parts.store.readOpenBreakers(last ?? FIRST, PAGE),
    );
    this.#tried = new Set(breakers.flatMap(({ probe }) => probe?.jobId ?? []));
    const keys = breakers.map(keyOf);
    for (const key of this.#searched.keys()) if (!keys.includes(key)) this.#searched.delete(key);
    const first = Math.max(keys.indexOf(this.#next ?? ''), 0);
    this.#next = await this.#probeEach([...breakers.slice(first), ...breakers.slice(0, first)]);
  }

  /** The first one that it has not reached in time, if any. */
  async #probeEach(breakers: readonly OpenBreaker[]): Promise<string | undefined> {
    const endMs = this.#parts.clock.now() + MAX_PROBES_MS;
    for (const breaker of breakers) {
      if (this.#loop.isStopped || this.#parts.clock.now() >= endMs) return keyOf(breaker);
      await this.#probe(breaker, endMs);
    }
    return undefined;
  }

  async #probe(breaker: OpenBreaker, endMs: number): Promise<void> {
    if (isProbeDue(breaker, this.#parts.dbClock.trusted(breaker.nowUs))) return this.#try(breaker, endMs);
    const fate = await this.#fateOf(breaker);
    if (!fate) return;
    const { heads } = await this.#parts.store.changeBreakers([breaker], (now, nowUs) => {
      // Another replica may have handled the same outcome and started the next probe.
      const isSame = now.probe?.jobId === breaker.probe?.jobId && now.probe?.attempt === breaker.probe?.attempt;
      return isSame && now.probe ? afterProbe(now, fate, this.#parts.dbClock.trusted(nowUs)) : now;
    });
    const { namespace, name } = breaker;
    if (fate !== 'GONE') this.#parts.log.info({ namespace, circuitBreaker: name, probe: fate }, 'a probe has ended');
    this.#parts.announcer.committed({ ready: heads });
    if (fate === 'GONE') await this.#try(breaker, endMs);
  }

  /** Undefined while the probe runs, or if there is none. */
  async #fateOf({ probeEnd, probeLaneId }: OpenBreaker): Promise<ProbeFate | undefined> {
    switch (probeEnd.kind) {
      case 'none':
        return undefined;
      case 'succeeded':
        return 'SUCCEEDED';
      case 'gone':
        return 'GONE';
      case 'failed': {
        if (probeLaneId === undefined) return 'GONE';
        await this.#parts.lanes.load([probeLaneId]);
        const rule = this.#parts.lanes.get(probeLaneId)?.definitionBody.circuitBreaker;
        const failure = reported(probeEnd.failure) ?? probeEnd.failure;
        return rule && countsAt(rule, failure) ? 'FAILED' : 'GONE';
      }
    }
  }

  /** Assigns one job to a session that can run it, if there are such a job and such a session here. */
  async #try(breaker: OpenBreaker, endMs: number): Promise<void> {
    const key = keyOf(breaker);
    let heads: readonly LaneHead[];
    let after = this.#searched.get(key) ?? FIRST_HEAD;
    this.#searched.delete(key);
    do {
      heads = await this.#parts.store.readLanesToProbe(breaker, after, LANES_PAGE);
      if (await this.#tryOne(breaker, heads)) return;
      after = heads.at(-1) ?? after;
      if (heads.length < LANES_PAGE) return;
    } while (!this.#loop.isStopped && this.#parts.clock.now() < endMs);
    this.#searched.set(key, after);
  }

  async #tryOne(breaker: OpenBreaker, heads: readonly LaneHead[]): Promise<boolean> {
    const { lanes, credits } = this.#parts;
    if (heads.length === 0) return false;
    await lanes.load(heads.map(({ laneId }) => laneId));
    for (const suspect of [false, true]) {
      for (const creditClass of credits.classes()) {
        const suited = heads.filter(({ laneId }) => this.#suits(creditClass, laneId, suspect));
        const isSingleLane = (head: LaneHead) => head.limited || this.#isSingleLane(head.laneId);
        const others = suited.filter((head) => !isSingleLane(head));
        if (others.length > 0 && (await this.#claim(breaker, creditClass, others, suspect))) return true;
        for (const head of suited)
          if (isSingleLane(head) && (await this.#claim(breaker, creditClass, [head], suspect))) return true;
      }
    }
    return false;
  }

  #suits(creditClass: CreditClass, laneId: number, suspect: boolean): boolean {
    const lane = this.#parts.lanes.get(laneId);
    return lane !== undefined && lane.suspect === suspect && this.#parts.lanes.suits(creditClass, lane);
  }

  #isSingleLane(laneId: number): boolean {
    const lane = this.#parts.lanes.get(laneId);
    return lane !== undefined && isSingleLane(lane);
  }

  async #claim(
    breaker: OpenBreaker,
    creditClass: CreditClass,
    heads: readonly LaneHead[],
    suspect: boolean,
  ): Promise<ClaimedJob | undefined> {
    const { store, credits, dispatcher, lanes } = this.#parts;
    const lane = lanes.get(heads[0]?.laneId ?? 0);
    const permits = credits.takeOneSlotEach(creditClass, MAX_PERMITS, lane && lanes.permitsOf(creditClass, lane));
    if (permits.length === 0) return undefined;
    // A lane with limits, or with jobs that take resources, is claimed alone.
    const limits = lane && heads[0]?.limited ? await this.#parts.limits.limitsToClaim(lane) : undefined;
    const cursors = heads.map(({ laneId, rank }) => ({ laneId, cursor: rank }));
    const claim = { permits, lanes: cursors, suspects: suspect, limits, needs: lane?.needs.resources };
    // If a failed call was committed, the sessions' next heartbeats find its job; its permits stay spent until then.
    const job = await store.probeBreaker(breaker, claim, this.#parts.dbClock.nowUs());
    credits.giveBack(permits.filter((permit) => permit.sessionId !== job?.sessionId));
    if (!job) return undefined;
    this.#tried.add(job.jobId);
    dispatcher.publish([job]);
    return job;
  }
}
