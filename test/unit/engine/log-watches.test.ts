/** Streams of logs: what is stored is shown once and in order, whatever becomes of the hints; and nothing is left behind. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { JobState } from '../../../server/domain/jobs/job-state.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';
import { Watches } from '../../../server/engine/jobs/read/watches.ts';
import type { JobView } from '../../../server/engine/ports/jobs.ts';
import type { KeptRecord, LogQuery } from '../../../server/engine/ports/logs.ts';
import { LogWatches } from '../../../server/engine/sessions/log-watches.ts';
import { settle, VirtualTime } from './virtual-time.ts';

const JOB = '0198c0de-0000-7000-8000-000000000001';
const START = { attempt: 0, sequence: 0 };

/** One job and its log. */
class LogStore {
  job: { state: JobState; revision: number; attempt: number } | undefined = {
    state: 'RUNNING',
    revision: 1,
    attempt: 1,
  };
  records: KeptRecord[] = [];
  reads = 0;
  broken = false;
  /** Held back until it is called. */
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
  watches = new Watches({ reads: store, store, timers: time, log });
  logWatches = new LogWatches({ watches, store, bus: { isUp: () => busUp }, timers: time });
});

const stays = new AbortController().signal;

/** Reads a stream as fast as it goes: the records that it shows, and how it ended. */
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

/** Nobody is registered and no timer is left. */
async function expectNothingLeft(): Promise<void> {
  await settle();
  await time.advance(3_000);
  expect([logWatches.isIdle, watches.isIdle, time.pending]).toEqual([true, true, 0]);
}

describe('a stream of logs', () => {
  it('shows what is kept, then what comes, attempt by attempt, and ends with the job', async () => {
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

  it('shows nothing twice, however often it is told', async () => {
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

  it('misses nothing that is stored while it reads', async () => {
    let open = () => {};
    store.gate = new Promise((resolve) => {
      open = resolve;
    });
    const seen = follow();
    await settle();
    // It has read, and found nothing, but does not know that yet.
    store.add(1, 1);
    logWatches.notify([JOB]);
    open();
    await settle();
    expect(seen).toEqual(['1.1']);
  });

  it('looks by itself where nobody tells it, sooner while the bus is down', async () => {
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

  it('goes on after a position, and page by page where there is much', async () => {
    store.add(1, ...Array.from({ length: 250 }, (_, i) => i + 1));
    store.change('FAILED');
    const seen = follow({ after: { attempt: 1, sequence: 10 } });
    await settle();
    expect([seen[0], seen.length, ...seen.slice(-3)]).toEqual(['1.11', 242, '1.250', 'ended', 'end']);
    expect(store.reads).toBe(3);
    await expectNothingLeft();
  });

  it('of one attempt ends when the next one begins', async () => {
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

  it('of a job that has ended shows its log and ends, also where there is none', async () => {
    store.change('CANCELLED');
    const seen = follow();
    await settle();
    expect(seen).toEqual(['ended', 'end']);
    await expectNothingLeft();
  });

  it('reads no record of a job that is not there, or in another namespace', async () => {
    store.add(1, 1);
    const seen = follow({ namespace: 'other' });
    await settle();
    expect([seen, store.reads]).toEqual([['JOB_NOT_FOUND'], 0]);
    await expectNothingLeft();
  });

  it('ends with what keeps it from going on: a database that is gone, a job deleted, a replica that stops', async () => {
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

  it('leaves nothing behind when its reader goes, and only so many are served', async () => {
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
