/** Waits of handlers: stored when they last, renewed, dropped; ended when two scans find the same circle. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Deadlocks, type StuckCandidate } from '../../../server/domain/dependencies/deadlock.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';
import { HandlerWaits } from '../../../server/engine/dependencies/deadlocks/handler-waits.ts';
import { EndWaiters } from '../../../server/engine/jobs/read/end-waiters.ts';
import type { HandlerWait } from '../../../server/engine/ports/deadlocks.ts';
import type { JobView } from '../../../server/engine/ports/jobs.ts';
import { constantRandom, settle, VirtualTime } from './virtual-time.ts';

const [A, B, C] = ['a', 'b', 'c'] as const;
const LONG_MS = 300_000;
const stays = new AbortController().signal;

const awaits = (jobId: string, ...on: string[]): StuckCandidate => ({
  jobId,
  state: 'WAITING',
  held: undefined,
  resources: {},
  awaits: on.map((other) => ({ jobId: other, isEnough: true })),
  needs: undefined,
});

let time: VirtualTime;
let rows: Map<string, HandlerWait>;
let writes: number;
let broken: boolean;
let scans: number;
let graph: readonly StuckCandidate[];
let isCut: boolean;
let ended: Set<string>;
let warnings: string[];
let waits: EndWaiters;
let handlerWaits: HandlerWaits;

beforeEach(() => {
  time = new VirtualTime();
  [rows, writes, broken, scans, graph, isCut, warnings] = [new Map(), 0, false, 0, [], false, []];
  ended = new Set();
  let ids = 0;
  const bytes16 = () => new Uint8Array(16).fill(++ids % 256).fill(ids >> 8, 0, 8);
  const log = { info() {}, error() {}, warn: (_facts: object, text: string) => void warnings.push(text) };
  const readJob = async (_namespace: string, jobId: string) =>
    ({ jobId, state: ended.has(jobId) ? 'SUCCEEDED' : 'READY' }) as JobView;
  waits = new EndWaiters({
    store: { readJob, findEnded: async () => [] },
    timers: time,
    random: constantRandom(0.5),
    log,
  });
  handlerWaits = new HandlerWaits({
    store: {
      async saveHandlerWaits(all) {
        if (broken) throw new Error('the database is gone');
        writes++;
        for (const wait of all) rows.set(wait.waitId, wait);
      },
      async dropHandlerWaits(ids) {
        if (broken) throw new Error('the database is gone');
        for (const id of ids) rows.delete(id);
      },
    },
    search: {
      async findDeadlocks() {
        scans++;
        return { deadlocks: new Deadlocks(graph), isCut };
      },
    },
    waits,
    clock: time,
    timers: time,
    random: { next: () => 0.5, bytes16 },
    log,
  });
});

function wait(jobId: string, target: string, gone = stays) {
  const seen: { result: string | undefined; error: EngineError | undefined } = { result: undefined, error: undefined };
  handlerWaits.wait('default', target, jobId, LONG_MS, gone).then(
    (job) => {
      seen.result = job.state;
    },
    (error) => {
      seen.error = error;
    },
  );
  return seen;
}

function end(jobId: string) {
  ended.add(jobId);
  waits.notify([jobId]);
  return settle();
}

describe('waits of handlers', () => {
  it('of less than a second are not stored, and leave nothing behind', async () => {
    const seen = wait(A, B);
    await time.advance(900);
    await end(B);
    expect(seen.result).toBe('SUCCEEDED');
    await time.advance(10_000);
    expect([writes, rows.size, scans, time.pending]).toEqual([0, 0, 0, 0]);
  });

  it('of more than a second are stored, renewed before their lease ends, and dropped with the call', async () => {
    const gone = new AbortController();
    const [given, kept] = [wait(A, B, gone.signal), wait(A, C)];
    await time.advance(1_000);
    expect([...rows.values()].map(({ targetJobId }) => targetJobId)).toEqual([B, C]);
    expect(writes).toBe(1);
    await time.advance(15_000);
    expect(writes).toBe(4);
    gone.abort();
    await settle();
    expect([...rows.values()]).toMatchObject([{ namespace: 'default', jobId: A, targetJobId: C }]);
    expect(given.result).toBe('READY');
    await end(C);
    expect([kept.result, rows.size]).toEqual(['SUCCEEDED', 0]);
  });

  it('in a circle end with an error that names it, after a second scan has confirmed it', async () => {
    graph = [awaits(A, B), awaits(B, A)];
    const seen = wait(A, B);
    await time.advance(5_000);
    expect([scans, seen.error]).toEqual([1, undefined]);
    await time.advance(1_000);
    expect(seen.error).toBeInstanceOf(EngineError);
    expect(seen.error).toMatchObject({ reason: 'DEADLOCK' });
    expect(seen.error?.facts.metadata).toEqual({
      job_id: B,
      waiting_job_id: A,
      circle: 'job a (WAITING) waits for job b (WAITING), which waits for job a',
    });
    expect([handlerWaits.deadlocks, rows.size, warnings.length]).toEqual([1, 0, 1]);
  });

  it('continue when a circle was transient, when they wait behind one, or when the other job is not part of it', async () => {
    const [passing, behind, nearby] = [wait(A, B), wait(C, A), wait(A, 'd')];
    graph = [awaits(A, B), awaits(B, A), awaits(C, A)];
    await time.advance(3_000);
    graph = [];
    await time.advance(3_000);
    graph = [awaits(A, B), awaits(B, A), awaits(C, A)];
    await time.advance(3_000);
    expect([scans, passing.error]).toEqual([3, undefined]);
    await time.advance(3_000);
    expect(passing.error?.reason).toBe('DEADLOCK');
    await time.advance(9_000);
    expect([behind.error, nearby.error]).toEqual([undefined, undefined]);
    await end(A);
    expect(behind.result).toBe('SUCCEEDED');
  });

  it('end normally when their job ends just before the refusal', async () => {
    graph = [awaits(A, B), awaits(B, A)];
    const seen = wait(A, B);
    await time.advance(5_000);
    ended.add(B);
    await time.advance(1_000);
    expect(seen).toEqual({ result: 'SUCCEEDED', error: undefined });
  });

  it('continue while the database is down, and are stored once it is back', async () => {
    broken = true;
    const seen = wait(A, B);
    await time.advance(4_000);
    expect([rows.size, warnings.length > 0, seen.error]).toEqual([0, true, undefined]);
    broken = false;
    await time.advance(5_000);
    expect(rows.size).toBe(1);
    broken = true;
    await end(B);
    expect(seen.result).toBe('SUCCEEDED');
  });

  it('warn when there are more than a scan can read', async () => {
    isCut = true;
    wait(A, B);
    await time.advance(3_000);
    expect(warnings).toEqual(['more handlers wait for jobs than are looked at: a deadlock may go unseen']);
  });

  it('are refused above a bound', async () => {
    for (let i = 0; i < 10_000; i++) wait(A, B);
    const last = wait(A, C);
    await settle();
    expect(last.error?.reason).toBe('OVERLOADED');
    await end(B);
    const again = wait(A, C);
    await settle();
    expect(again.error).toBeUndefined();
  });

  it('end with the replica', async () => {
    const seen = wait(A, B);
    await time.advance(1_000);
    waits.stop();
    await handlerWaits.stop();
    await settle();
    expect([seen.result, time.pending]).toEqual(['READY', 0]);
  });
});
