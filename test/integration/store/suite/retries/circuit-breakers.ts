/** Circuit breakers: failures are counted under a lock, lanes are gated, and there is at most one probe. */
import { beforeEach, describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideAbort, decideCancel, decideFail, decideRelease } from '../../../../../server/domain/jobs/decide.ts';
import type { Change, OpenRun } from '../../../../../server/domain/jobs/run.ts';
import {
  afterProbe,
  type CircuitBreaker,
  closed,
  countFailures,
  type ProbeFate,
} from '../../../../../server/domain/retries/circuit-breaker.ts';
import type { BreakerKey, OpenBreaker } from '../../../../../server/engine/ports/breakers.ts';
import type { ClaimedJob } from '../../../../../server/engine/ports/dispatch.ts';
import type { LaneHead } from '../../../../../server/engine/ports/lanes.ts';
import { FAR_US } from '../../../../support/store/far.ts';
import { emptyTables, type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  claimOf,
  completionOf,
  keyOf,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

const breaker: CircuitBreaker = {
  name: 'payments',
  failureThreshold: 3,
  windowMs: 60_000,
  openDurationMs: 1_000,
  types: [],
};
const policy = definitionDefaults.retryPolicy;
const failure = systemFailure('APPLICATION', 'Refused', 'nobody is there');

export function circuitBreakersSuite(context: StoreContext): void {
  let made = 0;

  const count = (key: BreakerKey, failures: number, given = breaker) =>
    context.store.changeBreakers([key], (now, nowUs) => countFailures(now, failures, given, nowUs), true);

  /** A breaker that no other test uses, with a lane of its own. */
  async function makeBreaker(): Promise<{ key: BreakerKey; laneId: number }> {
    const key = { namespace: 'default', name: `breaker-${++made}` };
    return { key, laneId: await makeLaneOf(key) };
  }

  const makeLaneOf = ({ namespace, name }: BreakerKey, changes = {}) =>
    makeLane(context, { namespace, ...changes }, name);

  /** An open one whose time to probe has come, unless `openDurationMs` says otherwise. */
  async function makeOpen(openDurationMs = -1) {
    const { key, laneId } = await makeBreaker();
    await count(key, 3, { ...breaker, openDurationMs });
    return { key, laneId };
  }

  const heldBackOf = async (laneId: number) =>
    (await sql(context, `SELECT gates FROM lanes WHERE lane_id = ${laneId}`))[0]?.gates;

  async function readOpen(key: BreakerKey): Promise<OpenBreaker | undefined> {
    return (await context.store.readOpenBreakers({ namespace: '', name: '' }, 100)).find(
      (one) => one.name === key.name,
    );
  }

  async function probe(key: BreakerKey, laneId: number, suspect = false): Promise<ClaimedJob | undefined> {
    const { sessionId } = await openWorker(context);
    return context.store.probeBreaker(key, { ...claimOf([laneId], sessionId, 1), suspects: suspect }, FAR_US);
  }

  describe('circuit breakers', () => {
    beforeEach(async () => {
      await emptyTables(context);
      await sql(context, 'TRUNCATE circuit_breakers');
    });

    it('are created by their first failures, and listed by name', async () => {
      await context.store.changeBreakers(
        ['b', 'c', 'a'].map((name) => ({ namespace: 'default', name })),
        (now, nowUs) => countFailures(now, 2, breaker, nowUs),
        true,
      );
      await count({ namespace: 'other', name: 'a' }, 1);
      const { breakers, nowUs } = await context.store.listBreakers('default', 'a', 2);
      expect(breakers.map(({ name, state }) => [name, state])).toEqual([
        ['b', 'CLOSED'],
        ['c', 'CLOSED'],
      ]);
      expect(breakers[0]?.tallies).toEqual([{ timeUs: expect.any(Number), failures: 2 }]);
      expect(nowUs).toBeGreaterThanOrEqual(breakers[0]?.tallies[0]?.timeUs ?? Number.NaN);
    });

    it('are created by nothing else', async () => {
      const { breakers } = await context.store.changeBreakers([{ namespace: 'default', name: 'none' }], closed);
      expect(breakers).toEqual([]);
      expect(await sql(context, 'SELECT 1 FROM circuit_breakers')).toEqual([]);
    });

    it('lose no failure of concurrent counts', async () => {
      const { key } = await makeBreaker();
      const lenient = { ...breaker, failureThreshold: 10_000 };
      await Promise.all(Array.from({ length: 20 }, (_, i) => count(key, i, lenient)));
      const [only] = (await context.store.listBreakers('default', '', 10)).breakers;
      expect(only?.tallies.reduce((sum, tally) => sum + tally.failures, 0)).toBe(190);
    });

    it('gate their lanes when they open, and no others', async () => {
      const { key, laneId } = await makeBreaker();
      const others = [
        await makeLane(context),
        (await makeBreaker()).laneId,
        await makeLaneOf({ ...key, namespace: 'x' }),
      ];
      const quarantined = await makeLaneOf(key, { suspect: true });
      await count(key, 2);
      expect(await heldBackOf(laneId)).toBe(0);
      await count(key, 1);
      expect([await heldBackOf(laneId), await heldBackOf(quarantined)]).toEqual([2, 2]);
      expect(await Promise.all(others.map(heldBackOf))).toEqual([0, 0, 0]);
      await submitMany(context, laneId, 1);
      const { sessionId } = await openWorker(context);
      expect(await claimMany(context, laneId, sessionId, 1)).toEqual([]);
    });

    it('reopen their lanes when they close, and return the heads of those without another gate', async () => {
      const { key, laneId } = await makeOpen();
      const paused = await makeLaneOf(key);
      await sql(context, `UPDATE lanes SET gates = 3 WHERE lane_id = ${paused}`);
      for (const id of [laneId, paused]) await submitMany(context, id, 2);
      const { breakers, heads } = await context.store.changeBreakers([key], closed);
      expect(only(breakers).state).toBe('CLOSED');
      expect(heads).toEqual([{ laneId, rank: 1_000_000 }]);
      expect([await heldBackOf(laneId), await heldBackOf(paused)]).toEqual([0, 1]);
    });

    it('gate a lane that is created while they are open', async () => {
      const { key } = await makeOpen();
      expect(await heldBackOf(await makeLaneOf(key))).toBe(2);
    });

    it('are restored in lanes that missed a change', async () => {
      const { key, laneId } = await makeOpen();
      const [other, alone] = [await makeBreaker(), await makeLane(context)];
      await sql(context, `UPDATE lanes SET gates = 1 WHERE lane_id = ${laneId}`);
      await sql(context, `UPDATE lanes SET gates = 2 WHERE lane_id = ${other.laneId}`);
      await submitMany(context, other.laneId, 1);
      expect(await context.store.alignGatedLanes()).toEqual([{ laneId: other.laneId, rank: 1_000_000 }]);
      expect(await Promise.all([laneId, other.laneId, alone].map(heldBackOf))).toEqual([3, 0, 0]);
      expect(await context.store.alignGatedLanes()).toEqual([]);
      // A lane made by a replica of an older release gets its breaker as soon as this release looks it up.
      await sql(context, `UPDATE lanes SET breaker = NULL, gates = 0 WHERE lane_id = ${laneId}`);
      const [lane] = await context.store.readLanes([laneId]);
      if (!lane) throw new Error('the lane is there');
      expect(await context.store.ensureLane(lane, key.name)).toBe(laneId);
      await context.store.alignGatedLanes();
      expect(await heldBackOf(laneId)).toBe(2);
    });

    it('that are not closed are read in pages, to the end', async () => {
      const names: string[] = [];
      for (let i = 0; i < 5; i++) names.push((await makeOpen(60_000)).key.name);
      await makeBreaker();
      const pages: string[][] = [];
      for (let last: BreakerKey | undefined; pages.at(-1)?.length !== 0; ) {
        const page = await context.store.readOpenBreakers(last ?? { namespace: '', name: '' }, 2);
        pages.push(page.map(({ name }) => name));
        last = page.at(-1);
      }
      expect(pages.map(({ length }) => length)).toEqual([2, 2, 1, 0]);
      expect(pages.flat()).toEqual(names.toSorted());
    });

    it('have their lanes read in pages, from the lowest rank', async () => {
      const { key, laneId } = await makeOpen();
      const lanes = [laneId, await makeLaneOf(key), await makeLaneOf(key)];
      for (const lane of lanes) await submitMany(context, lane, 1, { rank: 7 });
      const [first, second] = await context.store.readLanesToProbe(key, { laneId: 0, rank: 0 }, 2);
      const rest = await context.store.readLanesToProbe(key, second as LaneHead, 2);
      expect([first, second, ...rest].map((head) => head?.laneId)).toEqual(lanes);
    });

    describe('a probe', () => {
      it('is one job of a lane without another gate, with the lowest rank', async () => {
        const { key, laneId } = await makeOpen();
        const [empty, paused] = [await makeLaneOf(key), await makeLaneOf(key)];
        await sql(context, `UPDATE lanes SET gates = 3 WHERE lane_id = ${paused}`);
        const [first] = await submitMany(context, laneId, 3);
        await submitMany(context, paused, 1, { rank: 5 });
        expect(await context.store.readLanesToProbe(key, { laneId: 0, rank: 0 }, 9)).toEqual([
          { laneId, rank: 1_000_000, limited: false },
        ]);
        const { sessionId } = await openWorker(context);
        const job = await context.store.probeBreaker(key, claimOf([empty, paused, laneId], sessionId, 5), FAR_US);
        expect(job).toMatchObject({ jobId: first, attempt: 1, sessionId, laneId });
        expect(await readOpen(key)).toMatchObject({
          state: 'HALF_OPEN',
          probe: { jobId: first, attempt: 1 },
          probeTimeUs: null,
          probeLaneId: laneId,
          probeEnd: { kind: 'none' },
        });
        expect(await sql(context, 'SELECT 1 FROM job_runs WHERE state = 5')).toHaveLength(1);
      });

      it('is not started before its time', async () => {
        const { key, laneId } = await makeOpen(60_000);
        await submitMany(context, laneId, 1);
        expect(await probe(key, laneId)).toBeUndefined();
        expect(await readOpen(key)).toMatchObject({ state: 'OPEN', probe: null });
      });

      it('is started by one of many concurrent callers', async () => {
        const { key, laneId } = await makeOpen();
        await submitMany(context, laneId, 20);
        const probes = await Promise.all(Array.from({ length: 10 }, () => probe(key, laneId)));
        expect(probes.filter(Boolean)).toHaveLength(1);
        expect(await sql(context, 'SELECT 1 FROM job_runs WHERE state = 5')).toHaveLength(1);
      });

      it('leaves the breaker open if no job is left for it', async () => {
        const { key, laneId } = await makeOpen();
        expect(await probe(key, laneId)).toBeUndefined();
        expect(await readOpen(key)).toMatchObject({ state: 'OPEN' });
      });

      it('of a suspect is claimed as a suspect', async () => {
        const { key } = await makeOpen();
        const laneId = await makeLaneOf(key, { suspect: true });
        const [jobId] = await submitMany(context, laneId, 1);
        const { sessionId } = await openWorker(context);
        const other = await makeLane(context, { suspect: true });
        await submitMany(context, other, 1);
        const held = only(await claimMany(context, other, sessionId, 1));
        await sql(context, `UPDATE job_runs SET consecutive_losses = 2 WHERE job_id = '${held.jobId}'`);
        expect(
          await context.store.probeBreaker(key, { ...claimOf([laneId], sessionId, 1), suspects: true }, FAR_US),
        ).toBeUndefined();
        expect(await probe(key, laneId, true)).toMatchObject({ jobId });
      });

      const changed = (decide: (run: OpenRun, nowUs: number) => Change | undefined) => async (job: ClaimedJob) => {
        await context.store.change({ by: 'attempts', attempts: [keyOf(job)] }, decide);
      };
      const ends: [string, (job: ClaimedJob) => Promise<unknown>, OpenBreaker['probeEnd']][] = [
        ['is open', async () => {}, { kind: 'none' }],
        ['runs', (job) => context.store.observe([keyOf(job)], 0), { kind: 'none' }],
        ['succeeded', (job) => context.store.complete([completionOf(job)]), { kind: 'succeeded' }],
        [
          'failed and is tried again',
          changed((run, nowUs) => decideFail(run, failure, policy, { nowUs, random: 0.5 })),
          { kind: 'failed', failure },
        ],
        [
          'failed for the last time',
          changed((run, nowUs) => decideFail(run, failure, { ...policy, maxAttempts: 1 }, { nowUs, random: 0.5 })),
          { kind: 'failed', failure },
        ],
        ['was released', changed((run, nowUs) => decideRelease(run, '', { nowUs, random: 0.5 })), { kind: 'gone' }],
        ['was aborted', changed((run, nowUs) => decideAbort(run, { nowUs, random: 0.5 })), { kind: 'gone' }],
        [
          'is asked to stop',
          changed((run, nowUs) => decideCancel(run, '', 9_000, { nowUs, random: 0.5 })),
          { kind: 'gone' },
        ],
        [
          'is not there any more',
          (job) => sql(context, `DELETE FROM job_runs WHERE job_id = '${job.jobId}'`),
          { kind: 'gone' },
        ],
      ];

      it.each(ends)('that %s is recognised', async (_what, happen, probeEnd) => {
        const { key, laneId } = await makeOpen();
        await submitMany(context, laneId, 1);
        const job = await probe(key, laneId);
        if (!job) throw new Error('a job was there to try');
        await happen(job);
        expect(await readOpen(key)).toMatchObject({ probeEnd });
      });

      it.each<[ProbeFate, string, number]>([
        ['SUCCEEDED', 'CLOSED', 0],
        ['FAILED', 'OPEN', 2],
        ['GONE', 'OPEN', 2],
      ])('that has %s leaves the breaker %s', async (fate, state, held) => {
        const { key, laneId } = await makeOpen();
        await submitMany(context, laneId, 2);
        await probe(key, laneId);
        const { breakers } = await context.store.changeBreakers([key], (now, nowUs) => afterProbe(now, fate, nowUs));
        expect(only(breakers)).toMatchObject({ state, probe: null });
        expect(await heldBackOf(laneId)).toBe(held);
      });
    });
  });
}
