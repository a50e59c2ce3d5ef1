/** What the span relay reads and sends: only changes that end spans, only sampled traces, in bounded pages. */
import { describe, expect, it } from 'vitest';
import type { JobSpan, TracedJob } from '../../../../server/domain/events/job-spans.ts';
import { spanIdOf } from '../../../../server/domain/events/trace.ts';
import { compensationOf } from '../../../../server/domain/workflows/compensation.ts';
import type { KnownLane } from '../../../../server/engine/dispatch/known-lane.ts';
import { type PublishedChange, SpanRelay } from '../../../../server/engine/events/span-relay.ts';

const KEPT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const NOT_KEPT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const NOON_US = 1_795_000_000_000_000;

const idOf = (n: number) => `0198c0de-0000-7000-8000-${String(n).padStart(12, '0')}`;

const [WORKFLOW, BATCH] = [idOf(7_000), idOf(8_000)];
const step = (name: string, ...needs: string[]) => ({
  name,
  definition: 'add',
  role: 'NORMAL',
  needs,
  triggerRule: 'ALL_SUCCESS',
});
/** `last` needs both of the others; `many` needs 300. */
const flow = {
  name: 'flow',
  workflow: {
    failureMode: 'FAIL_FAST',
    steps: [
      ...Array.from({ length: 300 }, (_, n) => step(`s${n}`)),
      step('last', 's1', 's2', 's0'),
      step('many', ...Array.from({ length: 300 }, (_, n) => `s${n}`)),
    ],
  },
} as unknown as KnownLane['definitionBody'];
const batch = { name: 'muster.batch' } as KnownLane['definitionBody'];

function endedJob(jobId: string, traceparent: string): TracedJob {
  const attempt = { attempt: 1, sessionId: idOf(0), workerName: 'w', counted: true, errorType: '' };
  const times = { assignTimeUs: NOON_US + 1, endTimeUs: NOON_US + 2 };
  return {
    jobId,
    traceparent,
    namespace: 'default',
    definition: 'add',
    definitionVersion: 1,
    queue: 'default',
    state: 'SUCCEEDED',
    createTimeUs: NOON_US,
    endTimeUs: NOON_US + 2,
    errorType: '',
    attempts: [{ ...attempt, ...times, outcome: 'SUCCEEDED' }],
    retryOf: undefined,
    cached: [],
  };
}

function start(jobs: readonly TracedJob[]) {
  const read: string[][] = [];
  const sent: JobSpan[] = [];
  const warned: unknown[] = [];
  const fault = { store: '', links: '', needed: '' };
  const needed: string[] = [];
  const relay = new SpanRelay({
    store: {
      async readTraceOrigins(jobIds) {
        if (fault.store) throw new Error(fault.store);
        return jobs.filter(({ jobId }) => jobIds.includes(jobId));
      },
      async readTracedJobs(jobIds) {
        read.push([...jobIds]);
        return jobs.filter(({ jobId }) => jobIds.includes(jobId));
      },
      stepTraces: {
        async readLaneIds(jobIds) {
          if (fault.links) throw new Error(fault.links);
          return new Map(jobIds.map((jobId) => [jobId, jobId === BATCH ? 1 : 2]));
        },
        async readNeededJobs(needs) {
          if (fault.needed) throw new Error(fault.needed);
          needed.push(...needs.map(({ workflowJobId, step, most }) => `${workflowJobId}/${step}, at most ${most}`));
          return needs.map(({ of, step }) => ({ of, jobId: idOf(step), traceparent: KEPT }));
        },
      },
    },
    lanes: {
      async load() {},
      get: (laneId) => ({ definitionBody: laneId === 2 ? flow : batch }) as KnownLane,
    },
    sampling: { followsCaller: true, ratio: 1 },
    exporter: { export: async (spans) => void sent.push(...spans) },
    log: { info() {}, error() {}, warn: (facts) => warned.push(facts) },
  });
  return { relay, read, sent, warned, fault, needed };
}

const bytesOf = (jobIds: readonly string[]) => Buffer.from(jobIds.join('').replaceAll('-', ''), 'hex');
const made = (...jobIds: string[]): PublishedChange => ({
  jobIds: bytesOf(jobIds),
  attempt: 0,
  previousState: undefined,
  state: 'READY',
});
const ended = (...jobIds: string[]): PublishedChange => ({
  jobIds: bytesOf(jobIds),
  attempt: 1,
  previousState: 'ASSIGNED',
  state: 'SUCCEEDED',
});

describe('the relay of spans', () => {
  it('sends the spans that a change has ended, and reads nothing for other changes', async () => {
    const [one, two] = [idOf(1), idOf(2)];
    const { relay, read, sent } = start([endedJob(one, KEPT), endedJob(two, NOT_KEPT)]);
    await relay.publishSpans([made(one, two)]);
    expect(read).toEqual([]);
    await relay.publishSpans([made(one), ended(one, two), ended(idOf(3))]);
    expect(read).toEqual([[one]]);
    const phases = [spanIdOf(one, 0, 'job'), spanIdOf(one, 1, 'wait'), spanIdOf(one, 1, 'attempt')];
    expect(sent.map(({ spanId }) => spanId)).toEqual(phases);
  });

  it('sends equal spans when it gets the same change again', async () => {
    const { relay, sent } = start([endedJob(idOf(1), KEPT)]);
    await relay.publishSpans([ended(idOf(1))]);
    await relay.publishSpans([ended(idOf(1))]);
    expect(sent.slice(3)).toEqual(sent.slice(0, 3));
  });

  it('reads at most 500 jobs at once', async () => {
    const jobs = Array.from({ length: 1_201 }, (_, n) => endedJob(idOf(n), KEPT));
    const { relay, read, sent } = start(jobs);
    await relay.publishSpans([ended(...jobs.map(({ jobId }) => jobId))]);
    expect(read.map((ids) => ids.length)).toEqual([500, 500, 201]);
    expect(sent.length).toBe(3 * 1_201);
  });

  it('warns when it can not read spans, and does not delay events', async () => {
    const { relay, sent, warned, fault } = start([endedJob(idOf(1), KEPT)]);
    fault.store = 'no connection';
    await relay.publishSpans([ended(idOf(1))]);
    expect([sent, warned]).toEqual([[], [{ error: 'Error: no connection' }]]);
  });

  const ofStep = (number: number, workflowJobId = WORKFLOW): TracedJob => ({
    ...endedJob(idOf(9_000 + number), KEPT),
    step: { workflowJobId, step: number },
  });
  const linksOf = (sent: readonly JobSpan[], jobId: string) =>
    sent.find(({ spanId }) => spanId === spanIdOf(jobId, 0, 'job'))?.links ?? [];

  it('links a step to its needs, once it has ended', async () => {
    const last = ofStep(300);
    const { relay, sent, needed } = start([last]);
    await relay.publishSpans([{ ...ended(last.jobId), state: 'SCHEDULED' }]);
    expect(needed).toEqual([]);
    await relay.publishSpans([ended(last.jobId)]);
    expect(needed.sort()).toEqual([0, 1, 2].map((n) => `${WORKFLOW}/${n}, at most 33`));
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const attributes = { 'muster.link.kind': 'needs' };
    expect(linksOf(sent, last.jobId)).toHaveLength(3);
    expect(linksOf(sent, last.jobId)).toContainEqual({ traceId, spanId: spanIdOf(idOf(2), 0, 'job'), attributes });
  });

  it('links a step to at most 100 needs', async () => {
    const many = ofStep(301);
    const { relay, sent } = start([many]);
    await relay.publishSpans([ended(many.jobId)]);
    expect(linksOf(sent, many.jobId)).toHaveLength(100);
  });

  it('links a job to each of its dependencies once, at most 100', async () => {
    const [one, other] = [{ ...endedJob(idOf(1), KEPT), traceparent: '' }, endedJob(idOf(2), KEPT)];
    const dependsOn = [
      { jobId: one.jobId, step: undefined },
      { jobId: other.jobId, step: undefined },
      { jobId: idOf(404), step: undefined },
      { jobId: WORKFLOW, step: 2 },
      { jobId: WORKFLOW, step: 3 },
    ];
    const [last, many] = [{ ...endedJob(idOf(9_000), KEPT), dependsOn }, endedJob(idOf(9_001), KEPT)];
    const steps = Array.from({ length: 101 }, (_, n) => ({ jobId: WORKFLOW, step: n + 100 }));
    const { relay, sent, needed } = start([one, other, last, { ...many, dependsOn: steps }]);
    await relay.publishSpans([ended(last.jobId)]);
    expect(needed).toEqual([2, 3].map((n) => `${WORKFLOW}/${n}, at most 20`));
    const links = linksOf(sent, last.jobId);
    expect(links.map(({ spanId }) => spanId)).toEqual([1, 2, 3].map((n) => spanIdOf(idOf(n), 0, 'job')));
    expect(links[0]?.traceId).toBe(one.jobId.replaceAll('-', ''));
    expect(new Set(links.map(({ attributes }) => attributes['muster.link.kind']))).toEqual(new Set(['depends_on']));
    await relay.publishSpans([ended(many.jobId)]);
    expect(linksOf(sent, many.jobId)).toHaveLength(100);
  });

  it('reads no links for a job that is no step, has no needs, or is a compensation', async () => {
    const jobs = [endedJob(idOf(1), KEPT), ofStep(0), ofStep(0, BATCH), ofStep(compensationOf(300))];
    const { relay, sent, needed, fault } = start(jobs);
    await relay.publishSpans([ended(...jobs.map(({ jobId }) => jobId))]);
    expect([needed, sent.flatMap(({ links }) => links), sent.length]).toEqual([[], [], 3 * 4]);
    fault.links = 'nobody asks';
    await relay.publishSpans([ended(idOf(1))]);
    expect(sent).toHaveLength(3 * 5);
  });

  it('sends spans without links when it can not read the links', async () => {
    const last = ofStep(300);
    const { relay, sent, warned, fault } = start([last]);
    fault.links = 'no such definition';
    await relay.publishSpans([ended(last.jobId)]);
    expect([sent.length, linksOf(sent, last.jobId)]).toEqual([3, []]);
    expect(warned).toEqual([{ error: 'Error: no such definition' }]);
    const dependent = { ...endedJob(idOf(1), KEPT), dependsOn: [{ jobId: WORKFLOW, step: 2 }] };
    const again = start([dependent]);
    again.fault.needed = 'no connection';
    await again.relay.publishSpans([ended(dependent.jobId)]);
    expect([again.sent.length, linksOf(again.sent, dependent.jobId)]).toEqual([3, []]);
    expect(again.warned).toEqual([{ error: 'Error: no connection' }]);
  });
});
