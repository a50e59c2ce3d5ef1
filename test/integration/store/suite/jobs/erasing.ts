/** Erasure, and the data from which a job is retried. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideCancel, decideConfirmCancel, decideFail, end } from '../../../../../server/domain/jobs/decide.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';
import {
  bytes,
  claimMany,
  completionOf,
  holdOne,
  makeCall,
  makeJob,
  makeLane,
  newJobId,
  only,
  openWorker,
  payload,
  readEverything,
} from '../../../../support/store/store-fixtures.ts';
import { changeOne, makeCompensation, makeStep, startWorkflow } from '../../../../support/store/store-workflows.ts';

const SECRET = 'jane@example.com';
const policy = { ...definitionDefaults.retryPolicy, maxAttempts: 2 };

export function erasingSuite(context: StoreContext): void {
  const erase = (jobId: string, namespace = 'default') =>
    context.store.eraseJob({ namespace, jobId, reason: 'a demand', auditId: randomUUID() });
  const audits = (jobId: string) => sql(context, `SELECT * FROM audit_records WHERE job_id = '${jobId}'`);

  /** A job held by a session, with the secret in every field that users fill in. */
  async function holdSecretJob() {
    const laneId = await makeLane(context);
    const key = `${SECRET}/${randomUUID()}`;
    const input = { data: bytes(SECRET), contentType: SECRET, metadata: { who: SECRET } };
    const filled = { input, labels: { who: SECRET }, tracestate: `v=${SECRET}`, idempotencyKey: key };
    const job = makeJob(laneId, { ...filled, fairnessKey: SECRET, limitKey: SECRET, limitId: randomUUID() });
    const keys = [{ index: 0, key, contentHash: bytes('c'), policy: 'FAIL' as const }];
    await context.store.submit([makeCall([job], { keys })]);
    const { sessionId } = await openWorker(context);
    const claim = async () => only(await claimMany(context, laneId, sessionId, 1));
    return { key, keys, job, claim, attempt: await claim() };
  }

  async function traces(jobId: string): Promise<string> {
    const rows = JSON.stringify(await readEverything(context, jobId));
    const keys = JSON.stringify(await sql(context, `SELECT * FROM idempotency_keys WHERE job_id = '${jobId}'`));
    return [SECRET, Buffer.from(SECRET).toString('hex'), Buffer.from(SECRET).toString('base64')]
      .filter((secret) => (rows + keys).includes(secret))
      .join();
  }

  describe('erasing a job', () => {
    it('leaves no user data of its result', async () => {
      const { job, attempt } = await holdSecretJob();
      const counts = { done: 1, total: 2, unit: SECRET };
      const progress = { ...attempt, sequence: 1, fraction: 0.5, message: SECRET, counts, checkpoint: payload(SECRET) };
      await context.store.saveProgress([progress], 0);
      const record = { sequence: 1, timeUs: 0, level: 'INFO', message: SECRET, fields: {}, truncated: false } as const;
      await context.store.saveLogs([{ ...attempt, records: [record] }]);
      await context.store.complete([completionOf(attempt, SECRET)]);
      expect(await traces(job.jobId)).not.toBe('');
      expect(await erase(job.jobId)).toMatchObject({ kind: 'erased' });
      expect(await traces(job.jobId)).toBe('');
      expect(await context.store.readJob('default', job.jobId)).toMatchObject({
        state: 'SUCCEEDED',
        erased: true,
        labels: {},
        idempotencyKey: '',
        progress: undefined,
        input: { contentType: '' },
        result: { contentType: '' },
        attempt: 1,
      });
    });

    it('leaves no user data of the failures of two attempts', async () => {
      const { job, attempt, claim } = await holdSecretJob();
      const failure = {
        ...systemFailure('APPLICATION', 'Error', SECRET),
        details: payload(SECRET),
        stackTrace: SECRET,
      };
      const fail = (of: typeof attempt) =>
        context.store.change({ by: 'attempts', attempts: [of] }, (run, nowUs) =>
          decideFail(run, failure, policy, { nowUs, random: 0 }),
        );
      await fail(attempt);
      await sql(context, `UPDATE job_runs SET state = 3, due_time = NULL WHERE job_id = '${job.jobId}'`);
      await fail(await claim());
      expect(await traces(job.jobId)).not.toBe('');
      await erase(job.jobId);
      expect(await traces(job.jobId)).toBe('');
      expect(await context.store.readJob('default', job.jobId)).toMatchObject({
        state: 'FAILED',
        failure: { type: 'Erased', failureCause: 'APPLICATION' },
        attempts: [{ outcome: 'FAILED' }, { outcome: 'FAILED' }],
      });
    });

    it('leaves no reason why a workflow or one of its steps failed', async () => {
      const jobId = await startWorkflow(context);
      const failure = systemFailure('APPLICATION', 'Error', SECRET);
      const run = {
        phase: 'WORK',
        running: 0,
        ended: 1,
        stopReason: 'FAILED',
        failed: true,
        cleanupFailed: false,
        compensable: 0,
      } as const;
      const steps = [makeStep(jobId, 1, { reason: SECRET })];
      const compensations = [makeCompensation(jobId, 1, { reason: SECRET })];
      const runs = [{ jobId, depth: 1, run, failure, notUndone: SECRET }];
      await context.store.workflows.write({ runs, steps, compensations });
      await changeOne(context, jobId, (open) => end('finish', open, 'FAILED', { failure }));
      expect(await traces(jobId)).not.toBe('');
      await erase(jobId);
      expect(await traces(jobId)).toBe('');
    });

    it('leaves no reason why the job was cancelled', async () => {
      const job = makeJob(await makeLane(context));
      await context.store.submit([makeCall([job])]);
      await context.store.change({ by: 'jobs', namespace: 'default', jobIds: [job.jobId] }, (run, nowUs) =>
        decideCancel(run, SECRET, 1, { nowUs, random: 0 }),
      );
      await erase(job.jobId);
      expect(await traces(job.jobId)).toBe('');
    });

    it('leaves no user data in its clean-up, once that has ended', async () => {
      const { job, attempt } = await holdSecretJob();
      const moment = (nowUs: number) => ({ nowUs, random: 0 });
      const laneId = await makeLane(context, { cleanup: true, definition: `cleaned-${randomUUID()}` });
      const cleanup = { jobId: newJobId(), laneId, rank: 1, runTimeoutMs: 1_000, retryPolicy: policy };
      await context.store.change({ by: 'attempts', attempts: [attempt] }, (run, nowUs) =>
        decideCancel(run, '', 1_000, moment(nowUs)),
      );
      await context.store.change({ by: 'attempts', attempts: [attempt] }, (run, nowUs) => {
        const change = decideConfirmCancel(run, moment(nowUs));
        return change.kind === 'end' ? { ...change, cleanup } : undefined;
      });
      const before = await readEverything(context, job.jobId);
      const open = { kind: 'open', state: 'READY', cleanupJobId: cleanup.jobId };
      expect(await erase(job.jobId)).toEqual(open);
      expect(await readEverything(context, job.jobId)).toEqual(before);
      const { sessionId } = await openWorker(context);
      const cleaning = only(await claimMany(context, laneId, sessionId, 1));
      expect(Buffer.from(cleaning.input.data).toString()).toBe(SECRET);
      await context.store.complete([completionOf(cleaning, SECRET)]);
      const erased = await erase(job.jobId);
      expect([await traces(job.jobId), await traces(cleanup.jobId)]).toEqual(['', '']);
      expect(await context.store.readJob('default', cleanup.jobId)).toMatchObject({ erased: true });
      expect(await erase(cleanup.jobId)).toEqual(erased);
      expect([await audits(job.jobId), await audits(cleanup.jobId)]).toMatchObject([[{ action: 'ERASE_JOB' }], []]);
    });

    it('frees the idempotency key for a new job', async () => {
      const { attempt, key, keys } = await holdSecretJob();
      await context.store.complete([completionOf(attempt)]);
      await erase(attempt.jobId);
      const next = makeJob(await makeLane(context), { idempotencyKey: key });
      expect(await context.store.submit([makeCall([next], { keys })])).toMatchObject([
        { kind: 'stored', jobs: [{ jobId: next.jobId, existing: false }] },
      ]);
    });

    it('is recorded once, with the reason; a second call returns the same and changes nothing', async () => {
      const attempt = await holdOne(context);
      await context.store.complete([completionOf(attempt)]);
      const [first, second] = await Promise.all([erase(attempt.jobId), erase(attempt.jobId)]);
      expect(second).toEqual(first);
      const before = await readEverything(context, attempt.jobId);
      expect(await erase(attempt.jobId)).toEqual(first);
      expect(await readEverything(context, attempt.jobId)).toEqual(before);
      expect(await audits(attempt.jobId)).toMatchObject([
        { audit_id: (first as { auditId: string }).auditId, action: 'ERASE_JOB', reason: 'a demand', caller: '' },
      ]);
    });

    it('is refused for open jobs and for those of another namespace', async () => {
      const attempt = await holdOne(context);
      const before = await readEverything(context, attempt.jobId);
      expect(await erase(attempt.jobId)).toEqual({ kind: 'open', state: 'ASSIGNED' });
      expect(await readEverything(context, attempt.jobId)).toEqual(before);
      await context.store.complete([completionOf(attempt)]);
      expect(await erase(attempt.jobId, 'other')).toEqual({ kind: 'missing' });
      expect(await audits(attempt.jobId)).toEqual([]);
    });
  });

  describe('ended jobs', () => {
    it('are read with everything that a new job like them needs, in the order of the ids', async () => {
      const laneId = await makeLane(context, { queue: 'slow', definitionVersion: 3 });
      const retryPolicy = { ...policy, maxAttempts: 7 };
      const rest = { labels: { a: 'b' }, demands: '{"zone":"eu"}', priority: -4, retryPolicy, runTimeoutMs: 5_000 };
      const [one, two] = [makeJob(laneId, rest), makeJob(laneId)];
      await context.store.submit([makeCall([one, two])]);
      const { sessionId } = await openWorker(context);
      const held = await claimMany(context, laneId, sessionId, 2);
      await context.store.complete(held.map((attempt) => completionOf(attempt)));
      const open = makeJob(laneId, { retryOf: two.jobId });
      await context.store.submit([makeCall([open])]);
      const ids = [two.jobId, randomUUID(), open.jobId, one.jobId];
      const found = await context.store.readEndedJobs('default', ids);
      expect(found.map((job) => [job.jobId, job.retried])).toEqual([
        [two.jobId, true],
        [one.jobId, false],
      ]);
      expect(found[1]).toMatchObject({
        ...rest,
        queue: 'slow',
        definitionVersion: 3,
        input: { contentType: 'text/plain' },
        erased: false,
      });
      expect(Buffer.from(found[1]?.input.data ?? [])).toEqual(Buffer.from(one.input.data));
      expect(found[0]).toMatchObject({ labels: {}, demands: undefined, retryPolicy: undefined });
      expect(await context.store.readEndedJobs('other', ids)).toEqual([]);
      expect(await context.store.readJob('default', open.jobId)).toMatchObject({ retryOf: two.jobId });
    });
  });
}
