/**
 * A Kubernetes Job as a workflow with one fan-out step, field by field: its pods are the items, each with its index. The
 * table in docs/kubernetes.md names this file.
 */
import { type DefinitionInit, JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { type Flows, failureOf, type Part, type Place, resultOf, type Step, startOn } from './flows.ts';

interface JobSpec {
  /** Each pod's part, by its index: `completions` is their number. */
  readonly pods: readonly Part[];
  /** `parallelism`, `maxFailedIndexes`, `successPolicy`. */
  readonly fanOut?: Omit<NonNullable<Step['fanOut']>, 'items' | '$typeName'>;
  /** `backoffLimitPerIndex`, `podFailurePolicy`. */
  readonly retryPolicy?: DefinitionInit['retryPolicy'];
  /** Expression of each pod's input. Default: its part. */
  readonly input?: string;
  /** `activeDeadlineSeconds`. */
  readonly rest?: Partial<DefinitionInit>;
}

const soon = { minBackoffMs: 1, maxBackoffMs: 1 };

describe.each(databaseKinds)('a Kubernetes Job on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  /** Returns the job's id, and the name under which the starts of its pods are recorded. */
  async function create({ pods, fanOut = {}, retryPolicy = {}, rest = {}, input = 'item' }: JobSpec) {
    const tag = flows.name('pod');
    const definition = await flows.task({ retryPolicy: { maxAttempts: 1, ...soon, ...retryPolicy } });
    const items = JSON.stringify(pods.map((part) => ({ as: tag, ...part })));
    const name = await flows.define([{ name: 'pods', definition, input, fanOut: { ...fanOut, items } }], {}, rest);
    return { jobId: await flows.submit(name), tag };
  }

  const starts = (tag: string) => flows.startsAs(tag).length;
  /** How many of its pods have ended so. */
  const pods = async (jobId: string, state: JobState) =>
    (await flows.children(jobId)).filter((pod) => pod.state === state).length;

  it('completions, parallelism, completionMode Indexed: all run, so many at a time, each with its index', async () => {
    const hold = flows.name('held');
    const input = 'index < 2 ? {"give": index, "as": item.as, "hold": item.hold} : {"give": index, "as": item.as}';
    const { jobId, tag } = await create({
      pods: Array.from({ length: 5 }, () => ({ hold })),
      fanOut: { maxParallel: 2 },
      input,
    });
    await flows.hasStarted(tag, 2);
    expect(starts(tag)).toBe(2);
    flows.reopen(hold);
    expect(resultOf(await flows.ended(jobId))).toEqual({ pods: [0, 1, 2, 3, 4] });
    expect(starts(tag)).toBe(5);
  });

  it('backoffLimitPerIndex: each index has its own retries; the others run to their ends', async () => {
    const { jobId, tag } = await create({
      pods: [{ failures: 1 }, { failures: 9 }, {}],
      retryPolicy: { maxAttempts: 2 },
    });
    expect((await flows.ended(jobId)).state).toBe(JobState.FAILED);
    expect([await pods(jobId, JobState.SUCCEEDED), await pods(jobId, JobState.FAILED), starts(tag)]).toEqual([2, 1, 5]);
  });

  it('maxFailedIndexes: one more ends the job at once, and what runs is stopped', async () => {
    const tag = flows.name('held');
    const { jobId } = await create({
      pods: [{ fail: 'a' }, { fail: 'b' }, { hold: tag }],
      fanOut: { maxFailed: 1 },
    });
    expect((await flows.ended(jobId)).state).toBe(JobState.FAILED);
    await eventually('the third is stopped', async () => (await pods(jobId, JobState.CANCELLED)) === 1);
  });

  it('successPolicy: so many successes of these indexes are enough, and the others are stopped', async () => {
    const { jobId } = await create({
      pods: [{ hold: flows.name('never') }, {}, { fail: 'no' }],
      fanOut: { successPolicy: [{ indexes: '0-1', count: 1 }] },
    });
    expect((await flows.ended(jobId)).state).toBe(JobState.SUCCEEDED);
    await eventually('the first is stopped', async () => (await pods(jobId, JobState.CANCELLED)) === 1);
  });

  it('podFailurePolicy, FailIndex and FailJob: the index has no retry; the job ends at once', async () => {
    const retryPolicy = { maxAttempts: 5, rules: [{ types: ['Error'], action: 'FAIL' }] } as const;
    const index = await create({ pods: [{ failures: 9 }, {}], retryPolicy });
    expect((await flows.ended(index.jobId)).state).toBe(JobState.FAILED);
    expect([starts(index.tag), await pods(index.jobId, JobState.SUCCEEDED)]).toEqual([2, 1]);
    const whole = await create({
      pods: [{ failures: 9 }, { hold: flows.name('never') }],
      fanOut: { maxFailed: 0 },
      retryPolicy,
    });
    expect((await flows.ended(whole.jobId)).state).toBe(JobState.FAILED);
  });

  it('activeDeadlineSeconds: the job and its pods end when it has passed', async () => {
    const totalTimeout = { $typeName: 'google.protobuf.Duration' as const, seconds: 0n, nanos: 500_000_000 };
    const { jobId } = await create({ pods: [{ hold: flows.name('never') }, {}], rest: { totalTimeout } });
    const job = await flows.ended(jobId);
    expect([job.state, failureOf(job)?.type]).toEqual([JobState.FAILED, 'TotalTimeout']);
    await eventually('its pod is stopped', async () => (await pods(jobId, JobState.CANCELLED)) === 1);
  });

  it('suspend: pods are stopped and not counted; a resume starts the deadline anew and keeps what is complete', async () => {
    const hold = flows.name('held');
    const totalTimeout = { $typeName: 'google.protobuf.Duration' as const, seconds: 2n, nanos: 0 };
    const { jobId, tag } = await create({ pods: [{}, { hold }], rest: { totalTimeout } });
    await eventually('one is complete', async () => (await pods(jobId, JobState.SUCCEEDED)) === 1);
    await flows.hasStarted(tag, 2);
    await flows.client.pause(jobId, 'no room', { running: true, stopTimeouts: true });
    await eventually('the other is paused', async () => (await pods(jobId, JobState.PAUSED)) === 1);
    const other = await create({ pods: [{ hold: flows.name('never') }], rest: { totalTimeout } });
    expect((await flows.ended(other.jobId)).state).toBe(JobState.FAILED);
    flows.reopen(hold);
    await flows.client.resume(jobId);
    expect((await flows.ended(jobId)).state).toBe(JobState.SUCCEEDED);
    expect(starts(tag)).toBe(3);
    expect((await flows.children(jobId)).map(({ attemptCount }) => attemptCount)).toEqual([1, 1]);
  });
});
