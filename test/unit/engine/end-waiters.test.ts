/** Waits: woken by ends, by time and by callers that leave; hints may be lost; nothing is left behind. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../server/domain/jobs/job-state.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';
import { EndWaiters } from '../../../server/engine/jobs/read/end-waiters.ts';
import type { JobView } from '../../../server/engine/ports/jobs.ts';
import { settle, VirtualTime } from './virtual-time.ts';

const NAMESPACE = 'default';
const JOB = '0198c0de-0000-7000-8000-000000000001';
const LONG_MS = 300_000;
const stays = new AbortController().signal;

/** Jobs by id; reads wait while `held`, and fail while `broken`. */
class JobStore {
  readonly states = new Map<string, JobState>([[JOB, 'RUNNING']]);
  polls: (readonly string[])[] = [];
  broken = false;
  #held: Promise<void> = Promise.resolve();

  /** Makes reads wait until the function that it returns is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  async readJob(namespace: string, jobId: string): Promise<JobView | undefined> {
    await this.#held;
    if (this.broken) throw Object.assign(new Error('gone'), { code: '57P01' });
    const state = namespace === NAMESPACE ? this.states.get(jobId) : undefined;
    return state && ({ jobId, state } as JobView);
  }

  async findEnded(jobIds: readonly string[]): Promise<string[]> {
    this.polls.push(jobIds);
    if (this.broken) throw Object.assign(new Error('gone'), { code: '57P01' });
    return jobIds.filter((id) => this.states.get(id) === 'SUCCEEDED');
  }
}

let time: VirtualTime;
let store: JobStore;
let waits: EndWaiters;

beforeEach(() => {
  time = new VirtualTime();
  store = new JobStore();
  waits = new EndWaiters({ store, timers: time, log: { info() {}, warn() {}, error() {} } });
});

/** Watches a wait: its state once it has ended. */
function watch(promise: Promise<JobView>): { result: string | undefined } {
  const seen: { result: string | undefined } = { result: undefined };
  promise.then(
    (job) => {
      seen.result = job.state;
    },
    (error: unknown) => {
      seen.result = error instanceof EngineError ? error.reason : 'failed';
    },
  );
  return seen;
}

describe('a wait', () => {
  it('answers at once when the job has ended already', async () => {
    store.states.set(JOB, 'FAILED');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, stays)).toMatchObject({ state: 'FAILED' });
    await time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  it('ends when it is told of the end, with the job as it is then', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    expect(seen.result).toBeUndefined();
    store.states.set(JOB, 'SUCCEEDED');
    waits.notify(['0198c0de-0000-7000-8000-000000000009', JOB]);
    await settle();
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('is told of an end between its registration and its first look', async () => {
    const release = store.hold();
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    waits.notify([JOB]);
    store.states.set(JOB, 'SUCCEEDED');
    release();
    await settle();
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('finds the end within a second when nobody tells', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await time.advance(700);
    store.states.set(JOB, 'SUCCEEDED');
    await time.advance(1_000);
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('goes on looking after a look that failed', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    store.broken = true;
    await time.advance(3_000);
    store.broken = false;
    store.states.set(JOB, 'SUCCEEDED');
    await time.advance(1_000);
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('ends when its time is up, with the job as it is', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, 2_500, stays));
    await time.advance(2_499);
    expect(seen.result).toBeUndefined();
    await time.advance(1);
    expect(seen.result).toBe('RUNNING');
  });

  it('refuses a job that is not there, and one of another namespace', async () => {
    const unknown = '0198c0de-0000-7000-8000-000000000009';
    await expect(waits.wait(NAMESPACE, unknown, LONG_MS, stays)).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    await expect(waits.wait('other', JOB, LONG_MS, stays)).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    await time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  it('ends when the caller goes, or has gone before', async () => {
    const caller = new AbortController();
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, caller.signal));
    await settle();
    caller.abort();
    await settle();
    expect(seen.result).toBe('RUNNING');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, AbortSignal.abort())).toMatchObject({ state: 'RUNNING' });
  });
});

describe('several waits', () => {
  it('for one job all end, each with its own time and caller', async () => {
    const caller = new AbortController();
    const [notified, gone, late] = [
      watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays)),
      watch(waits.wait(NAMESPACE, JOB, LONG_MS, caller.signal)),
      watch(waits.wait(NAMESPACE, JOB, 100, stays)),
    ];
    await time.advance(100);
    caller.abort();
    await settle();
    expect([notified.result, gone.result, late.result]).toEqual([undefined, 'RUNNING', 'RUNNING']);
    store.states.set(JOB, 'SUCCEEDED');
    waits.notify([JOB]);
    await settle();
    expect(notified.result).toBe('SUCCEEDED');
  });

  it('are not forgotten when one that had left already fails', async () => {
    const release = store.hold();
    const caller = new AbortController();
    const first = watch(waits.wait(NAMESPACE, JOB, LONG_MS, caller.signal));
    caller.abort();
    store.hold()();
    const second = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    store.broken = true;
    release();
    await settle();
    expect(first.result).toBe('failed');
    store.broken = false;
    store.states.set(JOB, 'SUCCEEDED');
    waits.notify([JOB]);
    await settle();
    expect(second.result).toBe('SUCCEEDED');
  });

  it('look for their jobs together, in pages', async () => {
    const ids = Array.from({ length: 2_500 }, (_, i) => `job-${i}`);
    for (const id of ids) store.states.set(id, 'READY');
    for (const id of ids) watch(waits.wait(NAMESPACE, id, LONG_MS, stays));
    await time.advance(1_000);
    expect(store.polls.map((poll) => poll.length)).toEqual([1_000, 1_000, 500]);
  });
});

describe('what is left behind', () => {
  it('is nothing, however a wait ended: no timer, no listener, no look', async () => {
    const caller = new AbortController();
    watch(waits.wait(NAMESPACE, JOB, 500, stays));
    watch(waits.wait(NAMESPACE, JOB, LONG_MS, caller.signal));
    watch(waits.wait(NAMESPACE, 'unknown', LONG_MS, stays));
    await time.advance(600);
    caller.abort();
    await time.advance(1_000);
    expect(time.pending).toBe(0);
    const polls = store.polls.length;
    await time.advance(60_000);
    expect(store.polls).toHaveLength(polls);
  });

  it('is nobody after a stop, and nobody begins to wait after it', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    waits.stop();
    await settle();
    expect(seen.result).toBe('RUNNING');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, stays)).toMatchObject({ state: 'RUNNING' });
    expect(time.pending).toBe(0);
  });
});
