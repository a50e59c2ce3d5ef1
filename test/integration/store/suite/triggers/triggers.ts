/** Triggers in the store: causes, and what they lead to. */
import { describe, expect, it } from 'vitest';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { Schedule } from '../../../../../server/engine/ports/schedules.ts';
import type { NewHappening } from '../../../../../server/engine/ports/triggers.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { completionOf, holdMany, keyOf, makeLane, submitMany } from '../../../../support/store/store-fixtures.ts';
import { decide, decideLast } from '../../../../support/store/store-schedules.ts';
import {
  advance,
  allOf,
  applyTrigger,
  causeOf,
  makeTrigger,
  nearUs,
  signalOf,
} from '../../../../support/store/store-triggers.ts';

export function triggersSuite(context: StoreContext): void {
  const unique = (what: string) => `${what}-${crypto.randomUUID().slice(0, 8)}`;
  const triggers = () => context.store.triggers;
  const cause = (...all: readonly NewHappening[]) => context.store.together((tx) => tx.triggers.cause(all));

  async function rowsOf({ scheduleId }: Schedule) {
    return sql(context, `SELECT * FROM trigger_causes WHERE trigger_id = '${scheduleId}' ORDER BY row_id`);
  }

  async function runsOf({ scheduleId }: Schedule) {
    return (await context.store.schedules.listRuns(scheduleId, undefined, 1_000)).runs;
  }

  async function advanceFully({ scheduleId }: Schedule): Promise<number> {
    let fired = 0;
    for (let isMore = true; isMore; ) {
      const advanced = await advance(context.store, scheduleId);
      ({ isMore } = advanced);
      fired += advanced.fired;
    }
    return fired;
  }

  describe('ends of jobs', () => {
    it('are causes in the transaction that ends them, for the states that a trigger is about', async () => {
      const definition = unique('d');
      const laneId = await makeLane(context, { definition });
      const succeeded = await applyTrigger(context.store, makeTrigger(causeOf('JOB', definition)));
      const states = ['CANCELLED', 'FAILED'] as const;
      const cancelled = await applyTrigger(context.store, makeTrigger(causeOf('JOB', definition, { states })));
      const jobIds = await submitMany(context, laneId, 3);
      const [first = ''] = jobIds;
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds: [first] }, (run) =>
        decideCancel(run, 'r', 0, { nowUs: nearUs(), random: 0 }),
      );
      expect((await rowsOf(cancelled)).map((row) => [row.job_id, row.number, row.key])).toEqual([[first, 0, null]]);
      expect(await rowsOf(succeeded)).toEqual([]);
    });

    it('are stored once for each trigger, however many jobs end together', async () => {
      const held = await holdMany(context, 20);
      const [row] = await sql(
        context,
        `SELECT definition FROM lanes WHERE lane_id = (SELECT lane_id FROM job_runs WHERE job_id = '${held[0]?.jobId}')`,
      );
      const made = [];
      for (const _ of [1, 2])
        made.push(await applyTrigger(context.store, makeTrigger(causeOf('JOB', row?.definition))));
      const paused = makeTrigger(causeOf('JOB', row?.definition));
      const third = await applyTrigger(context.store, paused);
      await context.store.schedules.pause(paused, 'r');
      const other = makeTrigger(causeOf('JOB', row?.definition), { namespace: 'other' });
      const fourth = await applyTrigger(context.store, other);
      await context.store.complete(held.map((job) => completionOf(keyOf(job))));
      for (const trigger of made) {
        const rows = await rowsOf(trigger);
        expect(rows.map(({ job_id }) => job_id).sort()).toEqual(held.map(({ jobId }) => jobId).sort());
        expect(new Set(rows.map(({ state }) => state)).size).toBe(1);
      }
      for (const trigger of [third, fourth]) expect(await rowsOf(trigger)).toEqual([]);
      for (const trigger of made) expect(await advanceFully(trigger)).toBe(20);
    });
  });

  describe('causes', () => {
    it('are found for every trigger, page after page', async () => {
      const name = unique('paid');
      const made: string[] = [];
      for (let i = 0; i < 7; i++)
        made.push((await applyTrigger(context.store, makeTrigger(causeOf('SIGNAL', name)))).scheduleId);
      expect(await cause(signalOf(name), signalOf(name))).toBe(7);
      const found: string[] = [];
      for (let after: string | undefined; ; after = found.at(-1)) {
        const { triggerIds: page } = await triggers().findCaused(after, 3);
        found.push(...page);
        if (page.length < 3) break;
      }
      expect(found).toEqual(found.toSorted());
      expect(found).toEqual(expect.arrayContaining(made));
      for (const scheduleId of made) await triggers().dropAllCauses(scheduleId);
    });

    it('are read in pages that are bounded in rows and in bytes', async () => {
      const name = unique('paid');
      const trigger = await applyTrigger(
        context.store,
        makeTrigger(allOf(causeOf('SIGNAL', name), causeOf('ASSET', 'a'))),
      );
      await cause(...Array.from({ length: 101 }, () => signalOf(name)));
      expect(await triggers().readNew(trigger.scheduleId)).toHaveLength(100);
      await triggers().dropAllCauses(trigger.scheduleId);
      const large = signalOf(name, JSON.stringify('x'.repeat(500_000)));
      await cause(...Array.from({ length: 10 }, () => large));
      expect(await triggers().readNew(trigger.scheduleId)).toHaveLength(8);
      await triggers().dropAllCauses(trigger.scheduleId);
      await cause(signalOf(name, JSON.stringify('x'.repeat(5 << 20))), signalOf(name));
      expect(await triggers().readNew(trigger.scheduleId)).toHaveLength(1);
      await triggers().dropAllCauses(trigger.scheduleId);
    });

    it('of an older condition do not count', async () => {
      const name = unique('paid');
      const spec = makeTrigger(causeOf('SIGNAL', name));
      const made = await applyTrigger(context.store, spec);
      await cause(signalOf(name));
      const [row] = await rowsOf(made);
      const condition = allOf(causeOf('SIGNAL', name), causeOf('ASSET', 'a'));
      await applyTrigger(context.store, { ...spec, trigger: { condition, expireMs: 60_000 } });
      expect(await rowsOf(made)).toEqual([]);
      // As a transaction that began before the change.
      await sql(
        context,
        `INSERT INTO trigger_causes (trigger_id, number, edition, cause_time) VALUES ('${made.scheduleId}', 0, ${row?.edition}, muster_now())`,
      );
      expect(await advance(context.store, made.scheduleId)).toEqual({ isMore: true, fired: 0, trimmed: 0 });
      expect(await rowsOf(made)).toEqual([]);
      await applyTrigger(context.store, { ...spec, trigger: { condition, expireMs: 30_000 } });
      await cause(signalOf(name));
      expect(await rowsOf(made)).toHaveLength(1);
      await applyTrigger(context.store, { ...spec, description: 'x', trigger: { condition, expireMs: 30_000 } });
      expect(await rowsOf(made)).toHaveLength(1);
    });

    it('that are held are bounded in rows and in bytes: the oldest go', async () => {
      const name = unique('paid');
      const condition = allOf(
        causeOf('SIGNAL', name, { key: 'cause.payload' }),
        causeOf('ASSET', 'a', { key: 'cause.name' }),
      );
      const trigger = await applyTrigger(context.store, makeTrigger(condition));
      await cause(...Array.from({ length: 30 }, (_, i) => signalOf(name, `"k${i}"`)));
      await advanceFully(trigger);
      expect(await triggers().trim(trigger.scheduleId, 20, 1 << 20)).toBe(10);
      expect((await rowsOf(trigger)).map(({ key }) => key)).toEqual(Array.from({ length: 20 }, (_, i) => `k${i + 10}`));
      // Each payload has five bytes.
      expect(await triggers().trim(trigger.scheduleId, 20, 52)).toBe(10);
      expect(await rowsOf(trigger)).toHaveLength(10);
    });

    it('that are new are bounded in rows and in bytes while nobody reads them: the oldest go', async () => {
      const name = unique('paid');
      const trigger = await applyTrigger(context.store, makeTrigger(causeOf('SIGNAL', name)));
      await cause(...Array.from({ length: 30 }, (_, i) => signalOf(name, `"k${i + 10}"`)));
      expect(await triggers().trimNew(trigger.scheduleId, 20, 1 << 20)).toBe(10);
      expect(await triggers().trimNew(trigger.scheduleId, 20, 52)).toBe(10);
      const left = await triggers().readNew(trigger.scheduleId);
      expect(left.map(({ payload }) => String(payload && Buffer.from(payload.data)))).toEqual(
        Array.from({ length: 10 }, (_, i) => `"k${i + 30}"`),
      );
    });

    it('that have expired do not count, and are deleted', async () => {
      const name = unique('paid');
      const trigger = await applyTrigger(
        context.store,
        makeTrigger(allOf(causeOf('SIGNAL', name), causeOf('ASSET', name))),
      );
      await cause(signalOf(name));
      await advanceFully(trigger);
      await sql(context, `UPDATE trigger_causes SET expire_time = muster_now() - interval '2 s' WHERE key IS NOT NULL`);
      expect(await triggers().readProgress(trigger.scheduleId, undefined, 10)).toEqual([]);
      await cause({ namespace: 'default', source: 'ASSET', name, version: 1 });
      expect(await advanceFully(trigger)).toBe(0);
      expect((await rowsOf(trigger)).map(({ number }) => number)).toEqual([1]);
      await cause(signalOf(name));
      expect(await advanceFully(trigger)).toBe(1);
      await cause(signalOf(name));
      await advanceFully(trigger);
      await sql(context, `UPDATE trigger_causes SET expire_time = muster_now() - interval '2 s' WHERE key IS NOT NULL`);
      await context.store.clearExpired();
      expect(await rowsOf(trigger)).toEqual([]);
    });

    it('that have expired while they waited start nothing', async () => {
      const name = unique('paid');
      const trigger = await applyTrigger(context.store, makeTrigger(causeOf('SIGNAL', name)));
      await cause(signalOf(name), signalOf(name));
      const [row] = await rowsOf(trigger);
      await sql(
        context,
        `UPDATE trigger_causes SET cause_time = cause_time - interval '61 s' WHERE row_id = ${row?.row_id}`,
      );
      expect(await advanceFully(trigger)).toBe(1);
      expect(await rowsOf(trigger)).toEqual([]);
    });

    it('of a deleted trigger go with it, also those that come later', async () => {
      const name = unique('paid');
      const spec = makeTrigger(causeOf('SIGNAL', name));
      const trigger = await applyTrigger(context.store, spec);
      await cause(signalOf(name));
      await context.store.schedules.delete(spec);
      expect(await rowsOf(trigger)).toEqual([]);
      await sql(
        context,
        `INSERT INTO trigger_causes (trigger_id, number, edition, cause_time) VALUES ('${trigger.scheduleId}', 0, 1, muster_now())`,
      );
      await advance(context.store, trigger.scheduleId);
      expect(await rowsOf(trigger)).toEqual([]);
      expect(await cause(signalOf(name))).toBe(0);
    });

    it('wait while 1,000 runs wait, and lead to a job each once they have started', async () => {
      const name = unique('paid');
      const spec = makeTrigger(causeOf('SIGNAL', name));
      const trigger = await applyTrigger(context.store, spec);
      for (let i = 0; i < 11; i++) await cause(...Array.from({ length: 100 }, () => signalOf(name)));
      expect(await advanceFully(trigger)).toBe(1_000);
      expect(await rowsOf(trigger)).toHaveLength(100);
      const ids = new Set((await runsOf(trigger)).map(({ causeId }) => causeId));
      expect(ids.size).toBe(1_000);
      await startAll(trigger);
      expect(await advanceFully(trigger)).toBe(100);
      await startAll(trigger);
      expect((await context.store.schedules.read(spec))?.jobs).toBe(1_100);
      expect(await rowsOf(trigger)).toEqual([]);
      await context.store.schedules.delete(spec);
    });
  });

  /** As if each run had submitted its job. */
  async function startAll({ scheduleId }: Schedule): Promise<void> {
    for (;;) {
      const scanned = await context.store.schedules.scan(decide, nearUs());
      const mine = scanned.find(({ schedule }) => schedule.scheduleId === scheduleId);
      if (!mine && scanned.length === 0) return;
      if (!mine || mine.starting.length === 0) continue;
      const inputs = await context.store.schedules.readRunInputs(scheduleId, mine.starting);
      expect(inputs.size).toBe(mine.starting.length);
      const results = mine.starting.map((run) => ({ ...run, jobId: crypto.randomUUID(), message: '' }));
      await context.store.schedules.settle([{ scheduleId, results }]);
      expect((await context.store.schedules.readRunInputs(scheduleId, mine.starting)).size).toBe(0);
    }
  }

  describe('a trigger', () => {
    it('may have the name of a schedule', async () => {
      const name = unique('both');
      const trigger = makeTrigger(causeOf('SIGNAL', name), { name });
      const schedule = { ...trigger, kind: 'SCHEDULE', trigger: undefined } as const;
      await applyTrigger(context.store, trigger);
      await context.store.schedules.apply(schedule, '', crypto.randomUUID(), decideLast, nearUs());
      expect((await context.store.schedules.read(trigger))?.trigger).toEqual(trigger.trigger);
      expect((await context.store.schedules.read(schedule))?.trigger).toBeUndefined();
      await context.store.schedules.delete(schedule);
      expect((await context.store.schedules.read(trigger))?.kind).toBe('TRIGGER');
    });

    it('is advanced by one replica at a time', async () => {
      const name = unique('paid');
      const trigger = await applyTrigger(context.store, makeTrigger(causeOf('SIGNAL', name)));
      await cause(signalOf(name));
      const advanced = await context.store.together(async (tx) => {
        expect(await tx.triggers.lock(trigger.scheduleId, nearUs())).toBeDefined();
        return 1;
      });
      expect(advanced).toBe(1);
      expect(await advanceFully(trigger)).toBe(1);
    });
  });
}
