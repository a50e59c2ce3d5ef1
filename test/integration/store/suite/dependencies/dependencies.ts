/** Dependencies in the store: edges, published ends, and the jobs that they release, page by page and once. */
import { describe, expect, it } from 'vitest';
import { type Dependency, decideSkip, decideUnblock } from '../../../../../server/domain/dependencies/dependencies.ts';
import { decideCancel } from '../../../../../server/domain/jobs/decide.ts';
import type { NewJob } from '../../../../../server/engine/ports/submissions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  readRow,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';
import { changeOne } from '../../../../support/store/store-workflows.ts';

const onJob = (jobId: string): Dependency => ({ on: { kind: 'JOB', jobId }, condition: 'SUCCEEDED' });

/**
 * Takes the inbox of published ends, as the engine does. Returns the ids of the released jobs and of the skipped ones.
 */
export async function release(
  context: StoreContext,
): Promise<{ readonly ready: string[]; readonly skipped: string[] }> {
  const [ready, skipped]: [string[], string[]] = [[], []];
  for (let isMore = true; isMore; ) {
    isMore = await context.store.together(async (store) => {
      const taken = await store.inbox.takeEnds();
      for (const { namespace, jobId, unmet } of taken.settled) {
        const selection = { by: 'jobs', namespace, jobIds: [jobId] } as const;
        await store.change(selection, (run, nowUs) =>
          unmet === undefined ? decideUnblock(run, { nowUs, random: 0 }) : decideSkip(run, unmet),
        );
        (unmet === undefined ? ready : skipped).push(jobId);
      }
      return taken.isMore;
    });
  }
  return { ready, skipped };
}

export function dependenciesSuite(context: StoreContext): void {
  const submit = async (laneId: number, count: number, changes: Partial<NewJob>) => {
    const jobs = Array.from({ length: count }, () => makeJob(laneId, changes));
    const result = only(await context.store.submit([makeCall(jobs, { isDependent: true })]));
    return { result, ids: jobs.map(({ jobId }) => jobId) };
  };
  const hold = async () => {
    const laneId = await makeLane(context);
    const jobId = only(await submitMany(context, laneId, 1));
    const { sessionId } = await openWorker(context);
    return { jobId, claimed: async () => only(await claimMany(context, laneId, sessionId, 1)) };
  };
  const count = async (table: string, where: string) =>
    only(await sql(context, `SELECT count(*)::int AS n FROM ${table} WHERE ${where}`)).n as number;

  describe('dependencies', () => {
    it('block jobs until their ends are published, in pages, each once', async () => {
      const first = await hold();
      const laneId = await makeLane(context);
      const { ids } = await submit(laneId, 2_300, { dependencies: [onJob(first.jobId)] });
      expect(await count('job_runs', `lane_id = ${laneId} AND state = 1 AND unmet_dependencies = 1`)).toBe(2_300);
      expect((await readRow(context, 'job_runs', first.jobId))?.notifies_end).toBe(true);
      expect(await release(context)).toEqual({ ready: [], skipped: [] });
      await context.store.complete([completionOf(await first.claimed())]);
      expect(await context.store.inbox.findAbandoned(60_000, 1, 0)).toMatchObject({ dependencies: true });
      // Two replicas at once.
      const released = await Promise.all([release(context), release(context)]);
      const ready = released.flatMap((one) => one.ready);
      expect(ready.toSorted()).toEqual(ids.toSorted());
      expect(await count('job_runs', `lane_id = ${laneId} AND state = 3 AND unmet_dependencies = 0`)).toBe(2_300);
      expect(await count('job_inbox', `subject_id = '${first.jobId}'`)).toBe(0);
      expect(await context.store.inbox.findAbandoned(60_000, 1, 0)).toMatchObject({ dependencies: false });
      expect(await count('job_dependencies', `target_id = '${first.jobId}'`)).toBe(0);
    });

    it('add no cost to a job without dependents', async () => {
      const { jobId, claimed } = await hold();
      await context.store.complete([completionOf(await claimed())]);
      expect(await count('job_inbox', `subject_id = '${jobId}'`)).toBe(0);
    });

    it('are settled at once if the job that they are on has ended', async () => {
      const { jobId, claimed } = await hold();
      await context.store.complete([completionOf(await claimed())]);
      const laneId = await makeLane(context);
      const met = await submit(laneId, 1, { dependencies: [onJob(jobId)] });
      expect((await readRow(context, 'job_runs', only(met.ids)))?.state).toBe(3);
      const unmet = await submit(laneId, 1, { dependencies: [{ ...onJob(jobId), condition: 'FAILED' }] });
      expect((await readRow(context, 'job_outcomes', only(unmet.ids)))?.skip_reason).toBe(3);
      const missing = await submit(laneId, 1, { dependencies: [onJob(jobId), onJob(crypto.randomUUID())] });
      expect(missing.result).toMatchObject({ kind: 'targetNotFound', index: 0, number: 1 });
      expect(await readRow(context, 'job_runs', only(missing.ids))).toBeUndefined();
    });

    it('are deleted with a job that ends while it waits', async () => {
      const { jobId } = await hold();
      const { ids } = await submit(await makeLane(context), 1, { dependencies: [onJob(jobId)] });
      await changeOne(context, only(ids), (run) => decideCancel(run, '', 0, { nowUs: run.createTimeUs, random: 0 }));
      expect(await count('job_dependencies', `job_id = '${only(ids)}'`)).toBe(0);
    });

    it('miss no end of a job while they are created', async () => {
      const laneId = await makeLane(context);
      for (let round = 0; round < 20; round++) {
        const first = await hold();
        const done = completionOf(await first.claimed());
        const [made] = await Promise.all([
          submit(laneId, 1, { dependencies: [onJob(first.jobId)] }),
          context.store.complete([done]),
        ]);
        await release(context);
        expect((await readRow(context, 'job_runs', only(made.ids)))?.state).toBe(3);
      }
    });
  });
}
