/** The counts of open jobs by lane and state equal a full count, whatever has happened. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideFail, decideRelease, decideSessionEnd } from '../../../../../server/domain/jobs/decide.ts';
import { decideDue } from '../../../../../server/domain/jobs/decide-due.ts';
import { decidePause, decideResume } from '../../../../../server/domain/jobs/pause.ts';
import type { Change } from '../../../../../server/domain/jobs/run.ts';
import type { AttemptKey } from '../../../../../server/engine/ports/attempts.ts';
import type { Decide } from '../../../../../server/engine/ports/jobs.ts';
import { addCounts } from '../../../../../server/store/dispatch/lane-counts.ts';
import { plantBugs } from '../../../../support/databases/database-taps.ts';
import { coreOf } from '../../../../support/run/cases.ts';
import { createStore } from '../../../../support/store/create-store.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { faultsIn } from '../../../../support/store/faults.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  bytes,
  claimOf,
  completionOf,
  jobsOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  openWorker,
} from '../../../../support/store/store-fixtures.ts';

const { retryPolicy } = definitionDefaults;
const failure = systemFailure('APPLICATION', 'Oops', 'it broke');
const moment = (nowUs: number) => ({ nowUs, random: 0 });

/** Pseudo-random numbers that are the same in each run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Lanes, sessions and jobs, and the operations of a replica on them, chosen at random. */
class Mix {
  readonly #context: StoreContext;
  readonly #below: (below: number) => number;
  #lanes: number[] = [];
  #cleanupLane = 0;
  #sessions: string[] = [];
  #jobs: string[] = [];
  #held: AttemptKey[] = [];
  /** Names of operations. */
  readonly succeeded = new Set<string>();

  constructor(context: StoreContext, seed: number) {
    this.#context = context;
    this.#below = numbers(seed);
  }

  async prepare(): Promise<void> {
    for (let i = 0; i < 3; i++) this.#lanes.push(await makeLane(this.#context, { queue: `q${i}` }));
    this.#lanes.push(await makeLane(this.#context, { queue: 'q0', suspect: true }));
    this.#cleanupLane = await makeLane(this.#context, { queue: 'q0', cleanup: true });
    for (let i = 0; i < 3; i++) this.#sessions.push((await openWorker(this.#context)).sessionId);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.#below(3) === 0);
  }

  readonly operations: Record<string, () => Promise<unknown>> = {
    submit: () => this.#submit(),
    'submit with places': () => this.#submit(true),
    'submit with a key that is held': async () => {
      const jobs = [makeJob(this.#pick(this.#lanes), { idempotencyKey: 'k' })];
      const keys = [{ index: 0, key: 'k', contentHash: bytes('c'), policy: 'USE_EXISTING' as const }];
      await this.#context.store.submit([makeCall(jobs, { keys })]);
    },
    claim: async () => {
      const claim = claimOf(this.#lanes, this.#pick(this.#sessions), 1 + this.#below(6));
      this.#held.push(...(await jobsOf(this.#context.store.claim(claim))).map(keyOf));
    },
    observe: () => this.#context.store.observe(this.#some(this.#held), 0),
    complete: () => this.#context.store.complete(this.#some(this.#held).map((key) => completionOf(key))),
    fail: () => this.#changeHeld((run, nowUs) => decideFail(run, failure, retryPolicy, moment(nowUs))),
    release: () => this.#changeHeld((run, nowUs) => decideRelease(run, 'NO_SLOT', moment(nowUs))),
    'turn into suspects': () =>
      this.#changeHeld((run, nowUs) => {
        const change = decideRelease(run, 'NO_SLOT', moment(nowUs));
        return change?.kind === 'continue' ? { ...change, laneId: this.#pick(this.#lanes) } : change;
      }),
    cancel: () =>
      this.#changeJobs((run, nowUs) => {
        const change = decideCancel(run, '', 1, moment(nowUs));
        if (change?.kind !== 'end' || this.#below(2) === 0) return change;
        const cleanup = { jobId: newJobId(), laneId: this.#cleanupLane, rank: 1, runTimeoutMs: 1, retryPolicy };
        return { ...change, cleanup };
      }),
    pause: () => this.#changeJobs((run) => changeOf(decidePause(run, { reason: '' }, 0))),
    resume: () => this.#changeJobs((run, nowUs) => changeOf(decideResume(run, moment(nowUs)))),
    due: () =>
      this.#context.store.change({ by: 'due', limit: 5, latestUs: FAR_US }, (run, nowUs) =>
        decideDue(run, retryPolicy, moment(nowUs)),
      ),
    'lose a session': async () => {
      const sessionId = this.#pick(this.#sessions);
      await this.#context.store.closeSessions([sessionId], 'LAPSE');
      await this.#context.store.change({ by: 'session', sessionId, limit: 1_000 }, (run, nowUs) =>
        decideSessionEnd(run, 'LAPSE', moment(nowUs)),
      );
      await this.#context.store.endSessions([sessionId]);
      this.#sessions[this.#sessions.indexOf(sessionId)] = (await openWorker(this.#context)).sessionId;
    },
    fold: () => this.#context.store.queues.foldCounts(),
  };

  /** Two concurrent operations, where the database supports that; a refused one changes nothing. */
  async step(): Promise<void> {
    const names = Object.keys(this.operations);
    const run = async (name: string) => {
      await this.operations[name]?.();
      this.succeeded.add(name);
    };
    await Promise.allSettled([run(this.#pick(names)), run(this.#pick(names))]);
  }

  async #submit(withPlaces = false): Promise<void> {
    const later = (await this.#context.store.nowUs()) + 20_000;
    const jobs = Array.from({ length: 1 + this.#below(5) }, () =>
      this.#below(3) === 0
        ? makeJob(this.#pick(this.#lanes), { state: 'SCHEDULED', runTimeUs: later })
        : makeJob(this.#pick(this.#lanes)),
    );
    const sessionId = this.#pick(this.#sessions);
    const permits = new Map(
      jobs
        .filter((job) => withPlaces && job.state === 'READY')
        .map((job) => [job.jobId, { sessionId, creditId: 1, prefetch: false }]),
    );
    await this.#context.store.submit([makeCall(jobs, { requestId: randomUUID(), bodyHash: bytes('b') })], permits);
    this.#jobs.push(...jobs.map((job) => job.jobId));
    this.#held.push(...[...permits.keys()].map((jobId) => ({ jobId, attempt: 1, sessionId })));
  }

  #changeHeld(decide: Decide): Promise<unknown> {
    return this.#context.store.change({ by: 'attempts', attempts: this.#some(this.#held) }, decide);
  }

  #changeJobs(decide: Decide): Promise<unknown> {
    const jobIds = this.#some(this.#jobs.slice(-30));
    return this.#context.store.change({ by: 'jobs', namespace: 'default', jobIds }, decide);
  }
}

function changeOf(decision: Change | string | undefined): Change | undefined {
  return typeof decision === 'string' ? undefined : decision;
}

export function laneCountsSuite(context: StoreContext): void {
  describe('the counts of open jobs', () => {
    beforeEach(() => emptyTables(context));

    it.each(coreOf([1, 2, 3], 1))(
      'are exact after a random mix of all statements that move jobs, number %i',
      async (seed) => {
        const mix = new Mix(context, seed);
        await mix.prepare();
        const states = new Set<number>();
        for (let i = 0; i < 150; i++) {
          await mix.step();
          expect(await faultsIn(context.database, 'counts')).toEqual({});
          for (const row of await sql(context, 'SELECT DISTINCT state FROM job_runs')) states.add(row.state);
        }
        expect([...mix.succeeded].sort()).toEqual(Object.keys(mix.operations).sort());
        expect([...states].sort()).toEqual([2, 3, 4, 5, 6, 8]);
        while (await context.store.queues.foldCounts());
        expect(await sql(context, 'SELECT * FROM lane_count_changes')).toEqual([]);
        expect(await faultsIn(context.database, 'counts')).toEqual({});
      },
    );

    it('would be wrong if one statement did not count', async () => {
      const laneId = await makeLane(context);
      const store = createStore(
        plantBugs(context.database, [{ of: 'insert_jobs', from: 'WHERE jobs <> 0', to: 'WHERE false' }]),
      );
      expect(addCounts('')).toContain('WHERE jobs <> 0');
      await store.submit([makeCall([makeJob(laneId), makeJob(laneId)])]);
      expect(await faultsIn(context.database)).toEqual({
        counts: [`lane ${laneId}, state 3 has 2 jobs, and its count is 0`],
      });
    });

    it('are folded in bounded steps, by one caller at a time', async () => {
      await sql(context, 'INSERT INTO lane_count_changes SELECT n % 7, 3, 1 FROM generate_series(1, 12000) AS n');
      const steps: boolean[] = [];
      do steps.push(await context.store.queues.foldCounts());
      while (steps.at(-1));
      expect(steps).toEqual([true, true, false]);
      const rows = await sql(context, 'SELECT sum(jobs)::bigint AS jobs, count(*) AS lanes FROM lane_counts');
      expect(rows).toEqual([{ jobs: 12_000, lanes: 7 }]);
    });
  });
}
