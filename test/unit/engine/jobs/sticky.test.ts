/** Jobs bound to the worker of an earlier job: the queries of a call with many of them. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { withWorkers } from '../../../../server/engine/jobs/submit/sticky.ts';
import type { Submission } from '../../../../server/engine/ports/submissions.ts';

const pathOf = (index: number) => `jobs[${index}]`;
const to = (jobId: string, mode: 'SOFT' | 'HARD' = 'SOFT') => ({ sticky: { jobId, mode } }) as unknown as Submission;

/** A store with the given workers by job, which records how many jobs each query asks for. */
function storeOf(workers: ReadonlyMap<string, string | undefined>) {
  const asked: number[] = [];
  const readLastWorkers = async (_: string, jobIds: readonly string[]) => {
    asked.push(jobIds.length);
    return new Map([...workers].filter(([jobId]) => jobIds.includes(jobId)));
  };
  return { asked, readLastWorkers };
}

describe('a call with sticky submissions', () => {
  it('asks for the workers of many jobs at once, and for each job once', async () => {
    const jobIds = Array.from({ length: 2_500 }, () => randomUUID());
    const store = storeOf(new Map(jobIds.map((jobId) => [jobId, `worker of ${jobId}`])));
    const submissions = [...jobIds, ...jobIds].map((jobId) => to(jobId));
    const found = await withWorkers(store, 'default', submissions, pathOf);
    expect(store.asked).toEqual([1_000, 1_000, 500]);
    expect(found.map(({ keepTo }) => keepTo?.worker)).toEqual([...jobIds, ...jobIds].map((id) => `worker of ${id}`));
  });

  it('asks for nothing when no submission is sticky', async () => {
    const store = storeOf(new Map());
    const submissions = [{} as Submission];
    expect(await withWorkers(store, 'default', submissions, pathOf)).toBe(submissions);
    expect(store.asked).toEqual([]);
  });

  it('is refused with the index of the first bad submission', async () => {
    const [known, fresh, missing] = [randomUUID(), randomUUID(), randomUUID()];
    const store = storeOf(
      new Map([
        [known, 'w'],
        [fresh, undefined],
      ]),
    );
    const submit = (...submissions: Submission[]) => withWorkers(store, 'default', submissions, pathOf);
    await expect(submit(to(known), to(missing))).rejects.toMatchObject({
      reason: 'JOB_NOT_FOUND',
      facts: { field: 'jobs[1].sticky.job_id' },
    });
    await expect(submit(to(fresh), to(fresh, 'HARD'), to(missing))).rejects.toMatchObject({
      reason: 'JOB_NOT_ASSIGNED',
      facts: { field: 'jobs[1].sticky.job_id' },
    });
    expect((await submit(to(fresh), to(known, 'HARD'))).map(({ keepTo }) => keepTo)).toEqual([
      undefined,
      { worker: 'w', mode: 'HARD' },
    ]);
  });
});
