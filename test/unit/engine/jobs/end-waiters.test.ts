/** Waits for a job, ended by its end, by timeout or by the caller. Notifications may be lost, and nothing leaks. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../../server/domain/jobs/job-state.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { EndWaiters } from '../../../../server/engine/jobs/read/end-waiters.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

const NAMESPACE = 'default';
const JOB = '0198c0de-0000-7000-8000-000000000001';
const LONG_MS = 300_000;
const stays = new AbortController().signal;

/** Jobs by id. Reads block while `held`, and fail while `broken`. */
class JobStore {
  readonly states = new Map<string, JobState>([[JOB, 'RUNNING']]);
  polls: (readonly string[])[] = [];
  broken = false;
  #held: Promise<void> = Promise.resolve();

  /** Blocks reads until the returned function is called. */
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
  waits = new EndWaiters({
    store,
    timers: time,
    random: constantRandom(0.5),
    log: { info() {}, warn() {}, error() {} },
  });
});

/** Records a wait: the state once it has ended. */
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

describe('a wait for the end of a job', () => {
  it('is answered at once when the job has already ended', async () => {
    store.states.set(JOB, 'FAILED');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, stays)).toMatchObject({ state: 'FAILED' });
    await time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  it('ends when it is notified of the end, with the current state of the job', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    expect(seen.result).toBeUndefined();
    store.states.set(JOB, 'SUCCEEDED');
    waits.notify(['0198c0de-0000-7000-8000-000000000009', JOB]);
    await settle();
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('is notified of an end between its registration and its first poll', async () => {
    const release = store.hold();
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    waits.notify([JOB]);
    store.states.set(JOB, 'SUCCEEDED');
    release();
    await settle();
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('finds the end within a second without a notification', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await time.advance(700);
    store.states.set(JOB, 'SUCCEEDED');
    await time.advance(1_000);
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('continues polling after a failed poll', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    store.broken = true;
    await time.advance(3_000);
    store.broken = false;
    store.states.set(JOB, 'SUCCEEDED');
    await time.advance(1_000);
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('ends at its timeout with the current state of the job', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, 2_500, stays));
    await time.advance(2_499);
    expect(seen.result).toBeUndefined();
    await time.advance(1);
    expect(seen.result).toBe('RUNNING');
  });

  it('refuses a job that does not exist or is in another namespace', async () => {
    const unknown = '0198c0de-0000-7000-8000-000000000009';
    await expect(waits.wait(NAMESPACE, unknown, LONG_MS, stays)).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    await expect(waits.wait('other', JOB, LONG_MS, stays)).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    await time.advance(1_000);
    expect(time.pending).toBe(0);
  });

  it('ends when the caller leaves, even before the wait began', async () => {
    const caller = new AbortController();
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, caller.signal));
    await settle();
    caller.abort();
    await settle();
    expect(seen.result).toBe('RUNNING');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, AbortSignal.abort())).toMatchObject({ state: 'RUNNING' });
  });
});

describe('concurrent waits', () => {
  it('for one job all end, each with its own timeout and caller', async () => {
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

  it('remain registered when a poll for a caller that has left fails', async () => {
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

  it('poll for their jobs together, in pages', async () => {
    const ids = Array.from({ length: 2_500 }, (_, i) => `job-${i}`);
    for (const id of ids) store.states.set(id, 'READY');
    for (const id of ids) watch(waits.wait(NAMESPACE, id, LONG_MS, stays));
    await time.advance(1_000);
    expect(store.polls.map((poll) => poll.length)).toEqual([1_000, 1_000, 500]);
  });
});

describe('after a wait', () => {
  it('no timer, listener or poll is left, however it ended', async () => {
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

  it('and a stop of the replica, nobody waits and no new wait begins', async () => {
    const seen = watch(waits.wait(NAMESPACE, JOB, LONG_MS, stays));
    await settle();
    waits.stop();
    await settle();
    expect(seen.result).toBe('RUNNING');
    expect(await waits.wait(NAMESPACE, JOB, LONG_MS, stays)).toMatchObject({ state: 'RUNNING' });
    expect(time.pending).toBe(0);
  });
});
