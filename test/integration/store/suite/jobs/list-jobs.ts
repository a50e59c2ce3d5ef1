/** Lists of jobs: with any filter each matching job appears once, newest first, at a bounded cost. */
import { beforeAll, describe, expect, it } from 'vitest';
import { lowestUuid, uuid7Ms } from '../../../../../server/domain/base/uuid.ts';
import { everyJob, type JobFilter } from '../../../../../server/domain/jobs/job-filter.ts';
import { isTerminal, type JobState, stateCodes } from '../../../../../server/domain/jobs/job-state.ts';
import type { JobView } from '../../../../../server/engine/ports/jobs.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, newJobId } from '../../../../support/store/store-fixtures.ts';
import { endedRow } from '../../../../support/store/store-states.ts';

const states = Object.keys(stateCodes) as JobState[];
const namespace = 'listed';
const types = ['Oops', 'Timeout'];

export function listJobsSuite(context: StoreContext): void {
  const filterOf = (filter: Partial<JobFilter>): JobFilter => ({ ...everyJob, ...filter });

  async function page(filter: Partial<JobFilter>, limit = 1_000, beforeJobId?: string, scanLimit = 10_000) {
    return context.store.listJobs({ namespace, filter: filterOf(filter), beforeJobId, limit, scanLimit });
  }

  async function all(filter: Partial<JobFilter>, limit: number, scanLimit?: number): Promise<JobView[]> {
    const found: JobView[] = [];
    for (let before: string | undefined; ; ) {
      const { jobs, nextBeforeJobId } = await page(filter, limit, before, scanLimit);
      expect(jobs.length).toBeLessThanOrEqual(limit);
      found.push(...jobs);
      if (nextBeforeJobId === undefined) return found;
      before = nextBeforeJobId;
    }
  }

  /** Jobs of three days in lanes of two namespaces, with each state and label in turn. */
  async function fill(): Promise<JobView[]> {
    const lanes = await Promise.all([
      makeLane(context, { namespace, definition: 'a', queue: 'p' }),
      makeLane(context, { namespace, definition: 'a', queue: 'q' }),
      makeLane(context, { namespace, definition: 'b', queue: 'p' }),
      makeLane(context, { namespace: 'unlisted', definition: 'a', queue: 'p' }),
    ]);
    const ids = Array.from({ length: 320 }, (_, i) => newJobId(Date.now() - (320 - i) * 600_000));
    await context.store.submit([
      makeCall(
        ids.map((jobId, i) =>
          makeJob(lanes[i % 4] as number, { jobId, labels: { n: `${i % 7}`, even: `${i % 2 === 0}` } }),
        ),
      ),
    ]);
    for (const [i, jobId] of ids.entries()) await put(jobId, states[i % states.length] as JobState, types[i % 2]);
    // The creation time is set to that of the id; in reality it differs by the time to reach the database.
    await sql(
      context,
      `UPDATE jobs SET create_time = to_timestamp(('x' || left(replace(job_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
       WHERE job_id = ANY('{${ids}}')`,
    );
    const views = await context.store.readJobs(ids.map((jobId) => ({ namespace, jobId })));
    return views.filter((view) => view !== undefined).reverse();
  }

  async function put(jobId: string, state: JobState, failureType: string | undefined): Promise<void> {
    if (isTerminal(state)) return void (await sql(context, endedRow(state, jobId, failureType)));
    const holder = ['ASSIGNED', 'RUNNING', 'CANCELLING'].includes(state) ? 'gen_random_uuid()' : 'NULL';
    const due = state === 'SCHEDULED' ? 'muster_now()' : 'NULL';
    await sql(
      context,
      `UPDATE job_runs SET state = ${stateCodes[state]}, session_id = ${holder}, due_time = ${due} WHERE job_id = '${jobId}'`,
    );
  }

  describe('lists of jobs', () => {
    let views: JobView[];

    beforeAll(async () => {
      views = await fill();
    });

    const expected = (filter: Partial<JobFilter>) => {
      const { minCreateTimeUs = 0, maxCreateTimeUs = Infinity } = filter;
      return views.filter(
        (view) =>
          (!filter.states?.length || filter.states.includes(view.state)) &&
          (!filter.definition || view.definition === filter.definition) &&
          (!filter.queue || view.queue === filter.queue) &&
          Object.entries(filter.labels ?? {}).every(([key, value]) => view.labels[key] === value) &&
          view.createTimeUs >= minCreateTimeUs &&
          view.createTimeUs < maxCreateTimeUs &&
          (!filter.failureTypes?.length || filter.failureTypes.includes(view.failure?.type ?? '')),
      );
    };
    const at = (permit: number) => views[permit]?.createTimeUs as number;

    const filters: Record<string, () => Partial<JobFilter>> = {
      nothing: () => ({}),
      ...Object.fromEntries(states.map((state) => [state, () => ({ states: [state] })])),
      'open states': () => ({ states: ['READY', 'RUNNING', 'CANCELLING'] }),
      'ends without success': () => ({ states: ['FAILED', 'EXPIRED'] }),
      'open states and failures': () => ({ states: ['READY', 'FAILED', 'FAILED'] }),
      'open states and successes': () => ({ states: ['READY', 'SUCCEEDED'] }),
      'a definition': () => ({ definition: 'a' }),
      'a queue': () => ({ queue: 'q' }),
      'a definition and a queue': () => ({ definition: 'b', queue: 'p' }),
      'an unknown definition': () => ({ definition: 'c' }),
      'an unknown definition and a state': () => ({ definition: 'c', states: ['READY'] }),
      'a label': () => ({ labels: { n: '3' } }),
      'two labels': () => ({ labels: { n: '3', even: 'true' } }),
      'labels and failures': () => ({ labels: { even: 'true' }, states: ['FAILED', 'CANCELLED'] }),
      'the first of two times': () => ({ minCreateTimeUs: at(100) }),
      'the second of two times': () => ({ maxCreateTimeUs: at(100) }),
      'a window': () => ({ minCreateTimeUs: at(150), maxCreateTimeUs: at(20) }),
      'an empty window': () => ({ minCreateTimeUs: at(20), maxCreateTimeUs: at(20) }),
      'a failure type': () => ({ failureTypes: ['Oops'] }),
      'failure types and states': () => ({ failureTypes: types, states: ['FAILED', 'READY', 'SUCCEEDED'] }),
      'a failure type of succeeded jobs': () => ({ failureTypes: types, states: ['SUCCEEDED'] }),
      everything: () => ({
        states: ['FAILED', 'CANCELLED', 'READY'],
        definition: 'a',
        queue: 'p',
        labels: { even: 'true' },
        minCreateTimeUs: at(200),
        maxCreateTimeUs: at(10),
        failureTypes: ['Oops'],
      }),
    };

    it.each(Object.keys(filters))('by %s contain all matching jobs, however they are cut into pages', async (name) => {
      const filter = filters[name]?.() as Partial<JobFilter>;
      const ids = expected(filter).map(({ jobId }) => jobId);
      for (const [limit, scanLimit] of [
        [1_000, 10_000],
        [7, 10_000],
        [1_000, 20],
        [5, 40],
      ] as const) {
        const found = await all(filter, limit, scanLimit);
        expect([limit, found.map(({ jobId }) => jobId)]).toEqual([limit, ids]);
      }
    });

    it('contain the jobs of their namespace alone, and none for an unknown one', async () => {
      expect(views).toHaveLength(240);
      expect(await page({})).toMatchObject({ nextBeforeJobId: undefined });
      const query = { filter: everyJob, beforeJobId: undefined, limit: 9, scanLimit: 9 };
      const nowhere = await context.store.listJobs({ ...query, namespace: 'nowhere' });
      expect(nowhere).toEqual({ jobs: [], nextBeforeJobId: undefined });
    });

    it('show each job as it is, without attempts and the bytes of input and result', async () => {
      const { jobs } = await page({});
      const bare = (payload: JobView['input']) => ({ ...payload, data: payload.data.subarray(0, 0) });
      expect(jobs).toEqual(
        views.map((view) => ({
          ...view,
          input: bare(view.input),
          result: view.result && bare(view.result),
          attempts: [],
        })),
      );
    });

    it('continue in a namespace with more lanes than are merged', async () => {
      const lanes = await sql(
        context,
        `INSERT INTO lanes (namespace, queue, definition, definition_version, demands, suspect)
         SELECT '${namespace}', 'p', 'many', n, '', false FROM generate_series(1, 600) AS n RETURNING lane_id`,
      );
      const found = await all({ queue: 'p' }, 50, 100);
      expect(found.map(({ jobId }) => jobId)).toEqual(expected({ queue: 'p' }).map(({ jobId }) => jobId));
      await sql(context, `DELETE FROM lanes WHERE lane_id = ANY('{${lanes.map((row) => row.lane_id)}}')`);
    });

    it('end a page that labels and failures make long', async () => {
      const laneId = await makeLane(context, { namespace, definition: 'long' });
      const labels = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`label-${i}`, 'x'.repeat(250)]));
      const jobs = Array.from({ length: 300 }, () => makeJob(laneId, { labels }));
      await context.store.submit([makeCall(jobs)]);
      const first = await page({ definition: 'long' });
      expect(first.jobs.length).toBeGreaterThan(100);
      expect(first.jobs.length).toBeLessThan(150);
      expect(first.nextBeforeJobId).toBe(first.jobs.at(-1)?.jobId);
      const found = await all({ definition: 'long' }, 1_000);
      expect(found.map(({ jobId }) => jobId)).toEqual(jobs.map(({ jobId }) => jobId).reverse());
    });

    it('select by the shown creation time, which may differ a little from that in the id', async () => {
      const laneId = await makeLane(context, { namespace, definition: 'off' });
      const job = makeJob(laneId);
      await context.store.submit([makeCall([job])]);
      const idUs = uuid7Ms(job.jobId) * 1_000;
      for (const offUs of [-50e6, 50e6]) {
        await sql(
          context,
          `UPDATE jobs SET create_time = to_timestamp(${(idUs + offUs) / 1e6}) WHERE job_id = '${job.jobId}'`,
        );
        const { createTimeUs } = (await page({ definition: 'off' })).jobs[0] as JobView;
        const window = { minCreateTimeUs: createTimeUs, maxCreateTimeUs: createTimeUs + 1 };
        expect((await page({ definition: 'off', ...window })).jobs).toHaveLength(1);
        expect((await page({ definition: 'off', minCreateTimeUs: createTimeUs + 1 })).jobs).toEqual([]);
        expect((await page({ definition: 'off', maxCreateTimeUs: createTimeUs })).jobs).toEqual([]);
      }
    });

    it('begin at any position', async () => {
      const [first] = (await page({}, 1, lowestUuid(1))).jobs;
      expect(first).toBeUndefined();
      expect((await page({}, 1, views[10]?.jobId)).jobs[0]?.jobId).toBe(views[11]?.jobId);
    });
  });

  it('page tokens are signed with a key that stays the same', async () => {
    const key = await context.store.readPageTokenKey();
    expect(key).toHaveLength(32);
    expect(await context.store.readPageTokenKey()).toEqual(key);
  });
}
