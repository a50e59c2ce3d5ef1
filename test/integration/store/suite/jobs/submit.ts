/** Submissions without idempotency keys: what is stored, request ids, large calls, repeats. */
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../../../server/engine/ports/submissions.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  bytes,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  readEverything,
  readRow,
} from '../../../../support/store/store-fixtures.ts';

const storedJobs = (jobs: readonly NewJob[], repeated = false) => ({
  kind: 'stored' as const,
  jobs: jobs.map((job) => ({ jobId: job.jobId, existing: repeated, assigned: false })),
  ...(repeated ? { repeated: true } : {}),
});

const awkward: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['a zero byte', new Uint8Array([0])],
  ['every byte', Uint8Array.from({ length: 256 }, (_, i) => i)],
  ['bytes that are no UTF-8', new Uint8Array([0xff, 0xfe, 0xc0, 0x80])],
  ['text that looks like an escape', bytes('\\x00\\000{"a",NULL}')],
  ['JSON that loses by parsing', bytes('{"a":1,"a":9007199254740993,"__proto__":1e400}')],
  ['half a megabyte at random', randomBytes(512 << 10)],
];

export function submitSuite(context: StoreContext): void {
  const read = (jobId: string) => context.store.readJob('default', jobId);

  describe('submit', () => {
    it('stores a READY and a SCHEDULED job as given', async () => {
      const laneId = await context.store.ensureLane({
        namespace: 'default',
        queue: 'q-1',
        definition: 'mail',
        definitionVersion: 4,
        demands: '',
        suspect: false,
      });
      const later = (await context.store.nowUs()) + 3_600e6;
      const full = makeJob(laneId, {
        state: 'SCHEDULED',
        rank: later - 5e6,
        priority: 5,
        labels: { team: 'ä', 'quo"te': "it's \\ {a,b} NULL" },
        input: { data: bytes('{}'), contentType: 'application/json', metadata: { schema: 'v1', 'k"': ',' } },
        demands: '{"gpu":"a"}',
        retryPolicy: {
          maxAttempts: 9,
          minBackoffMs: 1,
          maxBackoffMs: 2,
          multiplier: 1.5,
          maxRetryDurationMs: 0,
          nonRetryableTypes: ['A'],
        },
        idempotencyKey: 'key',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        tracestate: 'vendor=a,b="c"',
        runTimeUs: later,
        expireTimeUs: later + 1,
      });
      const plain = makeJob(laneId);
      expect(await context.store.submit([makeCall([full, plain])])).toEqual([storedJobs([full, plain])]);
      expect(await read(full.jobId)).toMatchObject({
        jobId: full.jobId,
        namespace: 'default',
        definition: 'mail',
        definitionVersion: 4,
        queue: 'q-1',
        state: 'SCHEDULED',
        priority: 5,
        labels: full.labels,
        input: { contentType: 'application/json', metadata: full.input.metadata },
        runTimeUs: later,
        expireTimeUs: later + 1,
        idempotencyKey: 'key',
        traceparent: full.traceparent,
        attempt: 0,
        attemptCount: 0,
        revision: 1,
        attempts: [],
      });
      const record = await readRow(context, 'jobs', full.jobId);
      expect(JSON.parse(record?.retry_policy)).toEqual(full.retryPolicy);
      expect(record).toMatchObject({ demands: full.demands, tracestate: full.tracestate });
      expect(await read(plain.jobId)).toMatchObject({
        state: 'READY',
        labels: {},
        idempotencyKey: '',
        traceparent: '',
        runTimeUs: undefined,
      });
      expect(await readRow(context, 'job_runs', plain.jobId)).toMatchObject({
        rank: plain.rank,
        input_size: 5,
        due_time: null,
        run_timeout_ms: 60_000,
      });
    });

    it.each(awkward)('keeps an input of %s byte for byte', async (_what, data) => {
      const job = makeJob(await makeLane(context), { input: { data, contentType: '' } });
      await context.store.submit([makeCall([makeJob(job.laneId), job, makeJob(job.laneId)])]);
      expect(Buffer.compare((await read(job.jobId))?.input.data ?? bytes('missing'), data)).toBe(0);
    });

    it('stores calls of several callers together, with an answer for each', async () => {
      const laneId = await makeLane(context);
      const calls = [1, 2, 3].map((count) => makeCall(Array.from({ length: count }, () => makeJob(laneId))));
      expect(await context.store.submit(calls)).toEqual(calls.map((call) => storedJobs(call.jobs)));
    });

    it('stores 10,000 jobs of one call, all or none', async () => {
      const laneId = await makeLane(context);
      const jobs = Array.from({ length: 10_000 }, () => makeJob(laneId));
      const [taken] = jobs.slice(-1) as [NewJob];
      const requestId = randomUUID();
      const call = makeCall(jobs, { requestId, bodyHash: bytes('large') });
      const bad = makeCall(
        [...jobs.slice(0, -1), makeJob(laneId, { input: { data: bytes('x'), contentType: 'nul \0 byte' } })],
        { requestId, bodyHash: bytes('large') },
      );
      await expect(context.store.submit([bad])).rejects.toMatchObject({ code: '22021' });
      const count = async () =>
        (await sql(context, `SELECT count(*) AS n FROM job_runs WHERE lane_id = ${laneId}`))[0]?.n;
      expect(await count()).toBe(0);
      expect(await context.store.submit([call])).toEqual([storedJobs(jobs)]);
      expect(await count()).toBe(10_000);
      expect(await context.store.findJobs([taken.jobId, newJobId()])).toEqual([taken.jobId]);
      expect(await context.store.submit([call])).toEqual([storedJobs(jobs, true)]);
      expect(await count()).toBe(10_000);
    });

    it('stores nothing of a flush with one invalid call', async () => {
      const laneId = await makeLane(context);
      const good = makeJob(laneId);
      const bad = makeJob(laneId, { labels: { a: 'nul \0 byte' } });
      await expect(context.store.submit([makeCall([good]), makeCall([bad])])).rejects.toMatchObject({
        code: expect.stringMatching(/^22/),
      });
      expect(await context.store.findJobs([good.jobId, bad.jobId])).toEqual([]);
    });

    it('repeats a flush that was already stored, as after a lost answer', async () => {
      const laneId = await makeLane(context);
      const calls = [makeCall([makeJob(laneId)]), makeCall([makeJob(laneId), makeJob(laneId)])];
      await context.store.submit(calls);
      const before = await readEverything(context, calls[0]?.jobs[0]?.jobId as string);
      const more = [...calls, makeCall([makeJob(laneId)])];
      expect(await context.store.submit(more)).toEqual(more.map((call) => storedJobs(call.jobs)));
      expect(await readEverything(context, calls[0]?.jobs[0]?.jobId as string)).toEqual(before);
    });
  });

  describe('request ids', () => {
    it('answer a repeat with the jobs of the first call', async () => {
      const laneId = await makeLane(context);
      const requestId = randomUUID();
      const first = makeCall([makeJob(laneId), makeJob(laneId)], { requestId, bodyHash: bytes('body') });
      const again = makeCall([makeJob(laneId), makeJob(laneId)], { requestId, bodyHash: bytes('body') });
      expect(await context.store.submit([first])).toEqual([storedJobs(first.jobs)]);
      expect(await context.store.submit([again])).toEqual([storedJobs(first.jobs, true)]);
      expect(await context.store.findJobs(again.jobs.map((job) => job.jobId))).toEqual([]);
    });

    it('refuse another body, and belong to one namespace', async () => {
      const laneId = await makeLane(context);
      const otherLane = await makeLane(context, { namespace: 'other' });
      const requestId = randomUUID();
      await context.store.submit([makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('body') })]);
      const reuse = makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('else') });
      const elsewhere = makeCall([makeJob(otherLane)], { namespace: 'other', requestId, bodyHash: bytes('else') });
      expect(await context.store.submit([reuse, elsewhere])).toEqual([
        { kind: 'requestIdReused' },
        storedJobs(elsewhere.jobs),
      ]);
      expect(await context.store.findJobs(reuse.jobs.map((job) => job.jobId))).toEqual([]);
    });

    it('work if both calls are in one flush', async () => {
      const laneId = await makeLane(context);
      const requestId = randomUUID();
      const tries = [1, 2].map(() => makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('body') }));
      const other = makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('else') });
      const first = tries[0]?.jobs ?? [];
      expect(await context.store.submit([...tries, other])).toEqual([
        storedJobs(first),
        storedJobs(first, true),
        { kind: 'requestIdReused' },
      ]);
      const all = [...tries, other].flatMap((call) => call.jobs.map((job) => job.jobId));
      expect(await context.store.findJobs(all)).toEqual(first.map((job) => job.jobId));
    });

    it('work for concurrent flushes: one of them stores', async () => {
      const laneId = await makeLane(context);
      for (let round = 0; round < 10; round++) {
        const requestId = randomUUID();
        const calls = Array.from({ length: 4 }, () =>
          makeCall([makeJob(laneId)], { requestId, bodyHash: bytes('body') }),
        );
        const results = await Promise.all(
          calls.map((call) => context.store.submit([makeCall([makeJob(laneId)]), call])),
        );
        const answered = results.map(([, result]) => (result?.kind === 'stored' ? result.jobs[0] : undefined));
        expect(new Set(answered.map((job) => job?.jobId)).size).toBe(1);
        expect(answered.filter((job) => job?.existing === false)).toHaveLength(1);
        expect(await context.store.findJobs(calls.flatMap((call) => call.jobs.map((job) => job.jobId)))).toHaveLength(
          1,
        );
      }
    });
  });
}
