/** Log streams: stored records are shown once and in order, even when notifications are lost, and nothing leaks. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../../server/domain/jobs/job-state.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { Watches } from '../../../../server/engine/jobs/read/watches.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import type { KeptRecord, LogQuery } from '../../../../server/engine/ports/logs.ts';
import { LogWatches } from '../../../../server/engine/sessions/log-watches.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

const JOB = '0198c0de-0000-7000-8000-000000000001';
const START = { attempt: 0, sequence: 0 };

/** One job with its log. */
class LogStore {
  job: { state: JobState; revision: number; attempt: number } | undefined = {
    state: 'RUNNING',
    revision: 1,
    attempt: 1,
  };
  records: KeptRecord[] = [];
  reads = 0;
  broken = false;
  /** Blocks a read until it resolves. */
  gate: Promise<void> | undefined;

  add(attempt: number, ...sequences: number[]): void {
    const rest = { timeUs: 0, level: 'INFO', message: '', fields: {}, truncated: false } as const;
    this.records.push(...sequences.map((sequence) => ({ attempt, sequence, ...rest })));
  }

  change(state: JobState, attempt = this.job?.attempt ?? 1): void {
    this.job = { state, attempt, revision: (this.job?.revision ?? 0) + 1 };
  }

  async readJob(namespace: string, jobId: string): Promise<JobView | undefined> {
    return namespace === 'default' && jobId === JOB && this.job ? ({ jobId, ...this.job } as JobView) : undefined;
  }

  async readRevisions(jobIds: readonly string[]): Promise<(number | undefined)[]> {
    return jobIds.map(() => this.job?.revision);
  }

  async readLogs({ attempt, after, limit }: LogQuery) {
    this.reads++;
    if (this.broken) throw Object.assign(new Error('gone'), { code: '57P01' });
    const found = this.records.filter(
      (one) =>
        (attempt === undefined || one.attempt === attempt) &&
        (one.attempt > after.attempt || (one.attempt === after.attempt && one.sequence > after.sequence)),
    );
    await this.gate;
    return { records: found.slice(0, limit), hasMore: found.length > limit };
  }
}

let time: VirtualTime;
let store: LogStore;
let watches: Watches;
let logWatches: LogWatches;
let busUp: boolean;

beforeEach(() => {
  [time, store, busUp] = [new VirtualTime(), new LogStore(), true];
  const log = { info() {}, warn() {}, error() {} };
  watches = new Watches({ reads: store, store, timers: time, random: constantRandom(0.5), log });
  logWatches = new LogWatches({ watches, store, bus: { isUp: () => busUp }, timers: time });
});

const stays = new AbortController().signal;

/** Reads a stream without pause: the records that it shows, and how it ended. */
function follow(query: { attempt?: number; after?: typeof START; namespace?: string } = {}, gone = stays): string[] {
  const { attempt, after = START, namespace = 'default' } = query;
  const seen: string[] = [];
  const read = async () => {
    for await (const inbox of logWatches.watch(namespace, { jobId: JOB, attempt, after }, gone)) {
      seen.push(...inbox.records.map((one) => `${one.attempt}.${one.sequence}`));
      if (inbox.ended) seen.push('ended');
    }
  };
  read().then(
    () => seen.push('end'),
    (error: unknown) => seen.push(error instanceof EngineError ? error.reason : String(error)),
  );
  return seen;
}

/** Expects that nobody is registered and no timer is left. */
async function expectNothingLeft(): Promise<void> {
  await settle();
  await time.advance(3_000);
  expect([logWatches.isIdle, watches.isIdle, time.pending]).toEqual([true, true, 0]);
}

describe('a log stream', () => {
  it('shows stored records, then new ones, attempt by attempt, and ends with the job', async () => {
    store.add(1, 4, 5);
    const seen = follow();
    await settle();
    store.add(1, 6);
    logWatches.notify(['0198c0de-0000-7000-8000-000000000009', JOB]);
    await settle();
    expect(seen).toEqual(['1.4', '1.5', '1.6']);
    store.change('RUNNING', 2);
    watches.notify([JOB]);
    store.add(2, 1);
    logWatches.notify([JOB]);
    await settle();
    store.add(2, 2);
    store.change('SUCCEEDED', 2);
    watches.notify([JOB]);
    await settle();
    expect(seen).toEqual(['1.4', '1.5', '1.6', '2.1', '2.2', 'ended', 'end']);
    await expectNothingLeft();
  });

  it('shows nothing twice, however often it is notified', async () => {
    const seen = follow();
    await settle();
    store.add(1, 1);
    for (let i = 0; i < 5; i++) logWatches.notify([JOB]);
    await settle();
    for (let i = 0; i < 5; i++) {
      logWatches.notify([JOB]);
      await settle();
    }
    expect(seen).toEqual(['1.1']);
  });

  it('misses no record that is stored during a read', async () => {
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const seen = follow();
    await settle();
    // The stream has read and found nothing, but has not processed the result yet.
    store.add(1, 1);
    logWatches.notify([JOB]);
    open();
    await settle();
    expect(seen).toEqual(['1.1']);
  });

  it('polls without a notification, more often while the bus is down', async () => {
    const seen = follow();
    await settle();
    store.add(1, 1);
    await time.advance(1_900);
    expect(seen).toEqual([]);
    await time.advance(200);
    expect(seen).toEqual(['1.1']);
    busUp = false;
    await time.advance(2_000);
    store.add(1, 2);
    await time.advance(600);
    expect(seen).toEqual(['1.1', '1.2']);
  });

  it('continues after a given position, and page by page when there are many records', async () => {
    store.add(1, ...Array.from({ length: 250 }, (_, i) => i + 1));
    store.change('FAILED');
    const seen = follow({ after: { attempt: 1, sequence: 10 } });
    await settle();
    expect([seen[0], seen.length, ...seen.slice(-3)]).toEqual(['1.11', 242, '1.250', 'ended', 'end']);
    expect(store.reads).toBe(3);
    await expectNothingLeft();
  });

  it('of one attempt ends when the next attempt begins', async () => {
    store.add(1, 1);
    const seen = follow({ attempt: 1 });
    await settle();
    store.change('SCHEDULED');
    watches.notify([JOB]);
    await settle();
    expect(seen).toEqual(['1.1']);
    store.change('ASSIGNED', 2);
    store.add(2, 1);
    watches.notify([JOB]);
    await settle();
    expect(seen).toEqual(['1.1', 'ended', 'end']);
    await expectNothingLeft();
  });

  it('of an ended job shows its log and ends, even when the log is empty', async () => {
    store.change('CANCELLED');
    const seen = follow();
    await settle();
    expect(seen).toEqual(['ended', 'end']);
    await expectNothingLeft();
  });

  it('reads no record of a job that does not exist or is in another namespace', async () => {
    store.add(1, 1);
    const seen = follow({ namespace: 'other' });
    await settle();
    expect([seen, store.reads]).toEqual([['JOB_NOT_FOUND'], 0]);
    await expectNothingLeft();
  });

  it('ends when the database is down, the job is deleted, or the replica stops', async () => {
    const unlucky = follow();
    await settle();
    store.broken = true;
    logWatches.notify([JOB]);
    await settle();
    expect(unlucky).toEqual(['STORE_UNAVAILABLE']);
    store.broken = false;
    const [first, second] = [follow(), follow()];
    await settle();
    store.job = undefined;
    watches.notify([JOB]);
    await settle();
    expect([first, second]).toEqual([['JOB_NOT_FOUND'], ['JOB_NOT_FOUND']]);
    store.change('RUNNING');
    const stopped = follow();
    await settle();
    watches.stop();
    await settle();
    expect(stopped).toEqual(['SHUTTING_DOWN']);
    await expectNothingLeft();
  });

  it('leaves nothing behind when its reader leaves, and the number of streams is limited', async () => {
    const gone = new AbortController();
    const all = Array.from({ length: 1_000 }, () => follow({}, gone.signal));
    await settle();
    expect(await refusalOf()).toBe('OVERLOADED');
    gone.abort();
    await settle();
    expect(all.every((seen) => seen.join() === 'end')).toBe(true);
    await expectNothingLeft();
  });
});

async function refusalOf(): Promise<string | undefined> {
  const seen = follow();
  await settle();
  return seen[0];
}
