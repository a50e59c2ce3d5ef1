/**
 * Each job is one complete trace in a real Jaeger, through client, control plane and worker: no span twice, none
 * without its parent, links for retries; also when a worker or the control plane is killed on the way.
 */
import { AttemptOutcome, isTerminal, type Job, JobState } from '@muster-jobs/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { eventually } from '../../support/base/eventually.ts';
import { describeWith, tracing } from '../../support/run/toolchains.ts';
import type { JaegerSpan } from '../../support/telemetry/jaeger.ts';
import { TracedDeployment } from './deployment.ts';

const WAIT_MS = 120_000;
const TEST_MS = 600_000;

let deployment: TracedDeployment;

async function ended(jobId: string): Promise<Job> {
  const job = await deployment.client.wait(jobId, { timeoutMs: WAIT_MS });
  expect(isTerminal(job.state)).toBe(true);
  return job;
}

const traceIdOf = (job: Job) => job.traceparent.split('-')[1] ?? '';

/** The trace, once it has the expected number of spans; everything is published by then, so no more will come. */
async function traceOf(job: Job, spans: number): Promise<JaegerSpan[]> {
  await deployment.settled();
  const probe = async () => {
    const found = await deployment.jaeger.trace(traceIdOf(job));
    return found.length >= spans ? found : undefined;
  };
  return eventually(`the trace of job ${job.jobId} has ${spans} spans`, probe, { timeoutMs: WAIT_MS, everyMs: 100 });
}

/** Spans as `parent > span`, each once and sorted. */
function shapeOf(spans: readonly JaegerSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  expect(byId.size, 'each span once').toBe(spans.length);
  const nameOf = ({ name, service, tags }: JaegerSpan) =>
    service === 'shop' || name === 'work' ? name : [name.split(' ')[0], tags['muster.attempt.number']].join(' ').trim();
  return spans
    .map((span) => {
      expect(span.warnings.filter(isFault), `what Jaeger says of ${span.name}`).toEqual([]);
      if (span.parentSpanId === undefined) return nameOf(span);
      const parent = byId.get(span.parentSpanId);
      return `${parent ? nameOf(parent) : 'NOBODY'} > ${nameOf(span)}`;
    })
    .sort();
}

/** A job that outlives the span of its submission is no clock skew. */
function isFault(warning: string): boolean {
  return !warning.startsWith('clock skew adjustment disabled');
}

/** Each attempt, and the spans of its handler, are linked to the attempt before; the first has no link. */
function expectLinks(spans: readonly JaegerSpan[], { jobId, attempts }: Job): void {
  for (const { attempt } of attempts) {
    const before =
      attempt === 1 ? [] : [{ traceId: spans[0]?.traceId, spanId: spanIdOf(jobId, attempt - 1, 'attempt') }];
    const ofAttempt = spans.filter(
      ({ name, tags }) => tags['muster.attempt.number'] === attempt && !name.startsWith('wait '),
    );
    for (const { links } of ofAttempt) expect(links).toEqual(before);
  }
  expect(attempts.length).toBeGreaterThan(1);
}

/** Outcomes of attempts whose handler was never entered. */
const neverStarted: readonly AttemptOutcome[] = [AttemptOutcome.RELEASED];

/**
 * The expected shape from the job's own record. On a busy machine a worker may release an attempt before its start.
 *
 * @param without Outcomes of attempts whose handler left no span.
 */
function expectedShape(job: Job, submit: string | undefined, without = neverStarted): string[] {
  const shape = submit === undefined ? ['job'] : [submit, `${submit} > job`];
  for (const { attempt, outcome } of job.attempts) {
    shape.push(`job > wait ${attempt}`, `job > attempt ${attempt}`);
    if (without.includes(outcome)) continue;
    shape.push(`attempt ${attempt} > process ${attempt}`);
    if (job.definition === 'quick') shape.push(`process ${attempt} > work`);
  }
  return shape.sort();
}

describeWith(tracing, 'a trace in Jaeger', () => {
  beforeAll(async () => {
    deployment = await TracedDeployment.create();
    await deployment.replica.start();
    for (const name of ['quick', 'stuck']) await deployment.client.applyDefinition({ name });
    await deployment.client.applyDefinition({
      name: 'flaky',
      retryPolicy: { maxAttempts: 2, minBackoffMs: 1, maxBackoffMs: 1 },
    });
    const body = { case: 'task', value: { cleanupHandler: 'sweep' } } as const;
    await deployment.client.applyDefinition({ name: 'slow', body });
  }, 300_000);

  afterEach(() => deployment?.stopWorkers(), TEST_MS);

  afterAll(() => deployment?.stop(), TEST_MS);

  describe.each(['typescript', 'python'] as const)('with a worker in %s', { timeout: TEST_MS }, (language) => {
    it('covers a job through all three processes and the handler’s own spans', async () => {
      await deployment.startWorker('steady', language);
      const submitted = await Promise.all(Array.from({ length: 20 }, () => deployment.client.submit('quick')));
      for (const { jobId } of submitted) {
        const job = await ended(jobId);
        const shape = expectedShape(job, 'submit quick');
        const spans = await traceOf(job, shape.length);
        expect(shapeOf(spans)).toEqual(shape);
        expect([...new Set(spans.map(({ service }) => service))].sort()).toEqual(['muster', 'shop', 'worker']);
        expect(spans.find(({ name }) => name === 'job quick')).toMatchObject({
          spanId: spanIdOf(jobId, 0, 'job'),
          tags: { 'muster.job.state': 'SUCCEEDED', 'span.kind': 'consumer', 'messaging.message.id': jobId },
        });
      }
    });

    it('includes a retry, linked to the attempt before', async () => {
      await deployment.startWorker('again', language);
      const { jobId } = await deployment.client.submit('flaky');
      const job = await ended(jobId);
      const shape = expectedShape(job, 'submit flaky');
      const spans = await traceOf(job, shape.length);
      expect(shapeOf(spans)).toEqual(shape);
      const failed = job.attempts.find(({ outcome }) => outcome === AttemptOutcome.FAILED)?.attempt ?? 0;
      expect(spans.find(({ spanId }) => spanId === spanIdOf(jobId, failed, 'attempt'))?.tags).toMatchObject({
        error: true,
        'error.type': language === 'python' ? 'RuntimeError' : 'RangeError',
        'muster.attempt.outcome': 'FAILED',
      });
      expectLinks(spans, job);
    });
  });

  describe('in any language', { timeout: TEST_MS }, () => {
    it('shows a clean-up under the cancelled job', async () => {
      const worker = await deployment.startWorker('tidy');
      const { jobId } = await deployment.client.submit('slow');
      await eventually('the handler runs', () => worker.lines.includes('slow'), { timeoutMs: WAIT_MS });
      await deployment.client.cancel(jobId);
      const job = await ended(jobId);
      const cleanup = await ended(job.cleanupJobId);
      const [shape, under] = [expectedShape(job, 'submit slow'), expectedShape(cleanup, undefined)];
      const spans = await traceOf(job, shape.length + under.length);
      expect(shapeOf(spans)).toHaveLength(shape.length + under.length);
      const ofCleanup = spans.filter(({ tags }) => tags['messaging.message.id'] === cleanup.jobId);
      const root = ofCleanup.find(({ name }) => name === 'job slow');
      expect(root?.parentSpanId).toBe(spanIdOf(jobId, 0, 'job'));
      expect(
        shapeOf([...ofCleanup.filter((span) => span !== root), { ...root, parentSpanId: undefined } as JaegerSpan]),
      ).toEqual(under);
    });

    it('is separate for a job without a traced caller, and for its retry, linked to it', async () => {
      await deployment.startWorker('alone');
      const { jobId } = await deployment.withoutTracing(() => deployment.client.submit('quick'));
      const own = await ended(jobId);
      expect(own.traceparent).toBe('');
      const shape = expectedShape(own, undefined);
      const spans = await eventually(
        'its trace is there',
        async () => {
          const found = await deployment.jaeger.trace(jobId.replaceAll('-', ''));
          return found.length >= shape.length ? found : undefined;
        },
        { timeoutMs: WAIT_MS, everyMs: 100 },
      );
      expect(shapeOf(spans)).toEqual(shape);
      const { jobId: retry } = await deployment.client.retry(jobId);
      await ended(retry);
      const link = { traceId: jobId.replaceAll('-', ''), spanId: spanIdOf(jobId, 0, 'job') };
      const root = await eventually(
        'the trace of the retry is there',
        async () => (await deployment.jaeger.trace(retry.replaceAll('-', ''))).find(({ name }) => name === 'job quick'),
        { timeoutMs: WAIT_MS, everyMs: 100 },
      );
      expect(root.links).toEqual([link]);
    });
  });

  describe('after a kill', { timeout: TEST_MS }, () => {
    it('of a worker has the lost attempt with its cause, and the next one links to it', async () => {
      const lost = await deployment.startWorker('lost');
      const { jobId } = await deployment.client.submit('stuck');
      await eventually('the handler runs', () => lost.lines.includes('stuck'), { timeoutMs: WAIT_MS });
      await lost.kill();
      await deployment.startWorker('heir');
      const job = await ended(jobId);
      expect(job.state).toBe(JobState.SUCCEEDED);
      expect(job.attempts.some(({ outcome }) => outcome === AttemptOutcome.LAPSED)).toBe(true);
      // The killed handler could not send its span.
      const shape = expectedShape(job, 'submit stuck', [...neverStarted, AttemptOutcome.LAPSED]);
      const spans = await traceOf(job, shape.length);
      expect(shapeOf(spans)).toEqual(shape);
      expectLinks(spans, job);
    });

    it.each([
      'complete.after_commit_before_reply:1',
      'relay.after_take_before_publish:1',
      'relay.after_publish_before_delete:1',
    ])('of the control plane at %s misses nothing, and has nothing twice', async (plan) => {
      const { client, replica } = deployment;
      await deployment.settled();
      await replica.kill();
      await replica.start(plan);
      await deployment.startWorker('patient');
      const { jobId } = await client.submit('quick');
      await eventually('it has killed itself', () => !replica.alive, { timeoutMs: WAIT_MS });
      await replica.start();
      const job = await ended(jobId);
      const shape = expectedShape(job, 'submit quick');
      const spans = await traceOf(job, shape.length);
      expect(shapeOf(spans)).toEqual(shape);
    });
  });
});
