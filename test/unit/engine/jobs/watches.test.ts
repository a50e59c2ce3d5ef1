/** Watches: the last change is always seen, even with lost notifications or a slow reader, and nothing leaks. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../../server/domain/jobs/job-state.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { Watches } from '../../../../server/engine/jobs/read/watches.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

const NAMESPACE = 'default';
const JOB = '0198c0de-0000-7000-8000-000000000001';
const stays = new AbortController().signal;

class JobStore {
  readonly jobs = new Map<string, { state: JobState; revision: number }>([[JOB, { state: 'READY', revision: 1 }]]);
  reads = 0;
  polls: (readonly string[])[] = [];
  broken = false;

  /** Changes the job without a notification. */
  change(state: JobState, jobId = JOB): void {
    this.jobs.set(jobId, { state, revision: (this.jobs.get(jobId)?.revision ?? 0) + 1 });
  }

  async readJob(namespace: string, jobId: string): Promise<JobView | undefined> {
    this.reads++;
    if (this.broken) throw Object.assign(new Error('gone'), { code: '57P01' });
    const job = namespace === NAMESPACE ? this.jobs.get(jobId) : undefined;
    return job && ({ jobId, ...job } as JobView);
  }

  async readRevisions(jobIds: readonly string[]): Promise<(number | undefined)[]> {
    this.polls.push(jobIds);
    if (this.broken) throw Object.assign(new Error('gone'), { code: '57P01' });
    return jobIds.map((jobId) => this.jobs.get(jobId)?.revision);
  }
}

let time: VirtualTime;
let store: JobStore;
let watches: Watches;
let warnings: number;

beforeEach(() => {
  time = new VirtualTime();
  store = new JobStore();
  warnings = 0;
  const log = { info() {}, warn: () => void warnings++, error() {} };
  watches = new Watches({ reads: store, store, timers: time, random: constantRandom(0.5), log });
});

/** Reads a watch without pause: the states that it shows, and then how it ended. */
function follow(gone: AbortSignal = stays, jobId = JOB, namespace = NAMESPACE): string[] {
  const seen: string[] = [];
  const read = async () => {
    for await (const job of watches.watch(namespace, jobId, gone)) seen.push(`${job.state} ${job.revision}`);
  };
  read().then(
    () => seen.push('end'),
    (error: unknown) => seen.push(error instanceof EngineError ? error.reason : 'failed'),
  );
  return seen;
}

/** Expects that nobody is registered and no timer is left. */
async function expectNothingLeft(): Promise<void> {
  await time.advance(1_000);
  expect([watches.isIdle, time.pending]).toEqual([true, 0]);
}

describe('a watch', () => {
  it('shows the job as it is, then each change of which it is notified, and ends with the job', async () => {
    const seen = follow();
    await settle();
    expect(seen).toEqual(['READY 1']);
    for (const state of ['ASSIGNED', 'RUNNING', 'SUCCEEDED'] as const) {
      store.change(state);
      watches.notify(['0198c0de-0000-7000-8000-000000000009', JOB]);
      await settle();
    }
    expect(seen).toEqual(['READY 1', 'ASSIGNED 2', 'RUNNING 3', 'SUCCEEDED 4', 'end']);
    await expectNothingLeft();
  });

  it('shows a job that has ended once', async () => {
    store.change('FAILED');
    const seen = follow();
    await settle();
    expect(seen).toEqual(['FAILED 2', 'end']);
    await expectNothingLeft();
  });

  it('finds a change without a notification within 200 ms', async () => {
    const seen = follow();
    await settle();
    store.change('ASSIGNED');
    await time.advance(200);
    store.change('SUCCEEDED');
    await time.advance(200);
    expect(seen).toEqual(['READY 1', 'ASSIGNED 2', 'SUCCEEDED 3', 'end']);
  });

  it('reads the job only when it has changed', async () => {
    follow();
    await time.advance(10_000);
    expect(store.polls).toHaveLength(50);
    expect(store.reads).toBe(1);
    watches.notify([JOB]);
    await settle();
    expect(store.reads).toBe(2);
  });

  it('combines changes while its reader is busy, and does not miss the end', async () => {
    const watch = watches.watch(NAMESPACE, JOB, stays);
    expect((await watch.next()).value).toMatchObject({ revision: 1 });
    for (let i = 0; i < 100; i++) {
      store.change('RUNNING');
      watches.notify([JOB]);
      await time.advance(50);
    }
    expect(store.reads).toBe(1);
    expect((await watch.next()).value).toMatchObject({ revision: 101 });
    store.change('CANCELLED');
    await time.advance(200);
    expect((await watch.next()).value).toMatchObject({ state: 'CANCELLED', revision: 102 });
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    await expectNothingLeft();
  });

  it('is notified of a change during its first read', async () => {
    const seen = follow();
    store.change('ASSIGNED');
    watches.notify([JOB]);
    await settle();
    expect(seen).toEqual(['READY 1', 'ASSIGNED 2']);
  });

  it('ends when its caller leaves, even while it is busy or before it began', async () => {
    const abort = new AbortController();
    const seen = follow(abort.signal);
    const busy = watches.watch(NAMESPACE, JOB, abort.signal);
    await busy.next();
    abort.abort();
    expect((await busy.next()).done).toBe(true);
    await settle();
    expect(seen).toEqual(['READY 1', 'end']);
    expect((await watches.watch(NAMESPACE, JOB, abort.signal).next()).done).toBe(true);
    await expectNothingLeft();
  });

  it('unregisters when its reader stops reading', async () => {
    for await (const _job of watches.watch(NAMESPACE, JOB, stays)) break;
    await expectNothingLeft();
  });

  it('is refused for a job that does not exist or is deleted', async () => {
    const missing = follow(stays, '0198c0de-0000-7000-8000-000000000009');
    const foreign = follow(stays, JOB, 'other');
    const going = follow();
    await settle();
    store.jobs.delete(JOB);
    await time.advance(200);
    expect([missing, foreign, going]).toEqual([['JOB_NOT_FOUND'], ['JOB_NOT_FOUND'], ['READY 1', 'JOB_NOT_FOUND']]);
    await expectNothingLeft();
  });

  it('fails when a read fails, and survives a failed poll', async () => {
    const seen = follow();
    await settle();
    store.broken = true;
    await time.advance(400);
    expect([seen, warnings]).toEqual([['READY 1'], 2]);
    watches.notify([JOB]);
    await settle();
    expect(seen).toEqual(['READY 1', 'failed']);
    await expectNothingLeft();
  });

  it('ends with SHUTTING_DOWN when the replica stops, and none begins afterwards', async () => {
    const seen = follow();
    await settle();
    watches.stop();
    await settle();
    const late = follow();
    await settle();
    expect([seen, late]).toEqual([['READY 1', 'SHUTTING_DOWN'], ['SHUTTING_DOWN']]);
    await expectNothingLeft();
  });
});

describe('concurrent watches', () => {
  it('of one job share one id in the poll, and each can leave alone', async () => {
    const abort = new AbortController();
    const [one, two] = [follow(abort.signal), follow()];
    await settle();
    abort.abort();
    store.change('SUCCEEDED');
    await time.advance(200);
    expect([one, two]).toEqual([
      ['READY 1', 'end'],
      ['READY 1', 'SUCCEEDED 2', 'end'],
    ]);
    expect(store.polls[0]).toEqual([JOB]);
    await expectNothingLeft();
  });

  it('are polled 1,000 jobs at a time, and are refused above 10,000', async () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `0198c0de-0000-7000-8000-${String(i).padStart(12, '0')}`);
    for (const id of ids) store.change('READY', id);
    const all = ids.map((id) => follow(stays, id));
    await settle();
    const refused = await watches
      .watch(NAMESPACE, JOB, stays)
      .next()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: 'OVERLOADED', facts: { retryAfterMs: 1_000 } });
    await time.advance(200);
    expect(store.polls.map((asked) => asked.length)).toEqual(Array(10).fill(1_000));
    for (const id of ids) store.change('SUCCEEDED', id);
    await time.advance(200);
    expect(all.every((seen) => seen.at(-1) === 'end')).toBe(true);
    await expectNothingLeft();
  });
});
