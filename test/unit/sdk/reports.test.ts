/** Reports: kept until they are acknowledged, batched during a call, sent again when it fails. */
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import { ReportResult } from '../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import { ReportAttemptsResponseSchema } from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import {
  MAX_REPORT_BYTES,
  MAX_REPORTS,
  SECOND_CALL_FROM,
} from '../../../sdk/typescript/src/worker/core/base/limits.ts';
import { assign, CoreWorld, failure, outcomeText, result } from './support/core-world.ts';

/** A world with `count` running handlers. */
async function running(count: number, options = {}) {
  const world = new CoreWorld({ slots: count, ...options });
  const credit = await world.ready();
  const jobs = Array.from({ length: count }, (_, i) => assign(i + 1, credit));
  await world.deliver(jobs);
  return { world, jobs };
}

async function held(world: CoreWorld): Promise<number> {
  await world.time.advance(5_000);
  return world.lastBeat.request.heldAttempts.length;
}

describe('the list of leased attempts', () => {
  test.each([ReportResult.ACCEPTED, ReportResult.DUPLICATE, ReportResult.LEASE_LOST])(
    'contains an attempt until its report is answered, here with %s',
    async (answer) => {
      const { world, jobs } = await running(1);
      await world.end(jobs[0] as never);
      expect(await held(world)).toBe(1);
      await world.acknowledge(answer);
      expect(await held(world)).toBe(0);
      expect(world.reports).toHaveLength(1);
    },
  );

  test('contains a release until it is answered', async () => {
    const { world } = await running(1);
    await world.deliver([assign(7, 99n)]);
    expect(await held(world)).toBe(2);
    await world.acknowledge();
    expect(await held(world)).toBe(1);
  });

  test('is sent in heartbeats with ids, attempts, and whether the handler was entered', async () => {
    const world = new CoreWorld({ slots: 2 });
    const credit = await world.ready();
    const entered = assign(1, credit, { attempt: 3 });
    await world.deliver([entered]);
    world.entersAtOnce = false;
    await world.deliver([assign(2, credit)]);
    await world.time.advance(5_000);
    expect(world.lastBeat.request.heldAttempts).toMatchObject([
      { jobId: entered.jobId, attempt: 3, started: true },
      { attempt: 1, started: false },
    ]);
  });
});

describe('a batch of reports', () => {
  test('is sent at once when no call is pending, and otherwise collects reports for the next call', async () => {
    const { world, jobs } = await running(4);
    const [a, b, c, d] = jobs as [never, never, never, never];
    await world.end(a);
    expect(world.reports).toHaveLength(1);
    await world.end(b);
    await world.end(c);
    await world.end(d);
    expect(world.reports).toHaveLength(1);
    await world.acknowledge();
    expect(world.reports.map(({ request }) => request.reports.length)).toEqual([1, 3]);
  });

  test('is sent in a second parallel call when there are enough, and never in a third', async () => {
    const { world, jobs } = await running(1 + 2 * SECOND_CALL_FROM);
    world.endAll(jobs.slice(0, 1));
    world.endAll(jobs.slice(1, SECOND_CALL_FROM));
    expect(world.reports).toHaveLength(1);
    world.endAll(jobs.slice(SECOND_CALL_FROM, SECOND_CALL_FROM + 1));
    expect(world.reports.map(({ request }) => request.reports.length)).toEqual([1, SECOND_CALL_FROM]);
    world.endAll(jobs.slice(SECOND_CALL_FROM + 1));
    expect(world.reports).toHaveLength(2);
  });

  test('has at most 1,000 reports', async () => {
    const { world, jobs } = await running(MAX_REPORTS + 10);
    world.endAll(jobs);
    expect(world.reports.map(({ request }) => request.reports.length)).toEqual([MAX_REPORTS]);
    await world.acknowledge();
    expect(world.reports.map(({ request }) => request.reports.length)).toEqual([MAX_REPORTS, 10]);
  });

  test('has at most 3 MiB', async () => {
    const { world, jobs } = await running(12);
    world.endAll(jobs, result('x'.repeat(500 * 1024)));
    expect(world.lastReport.request.reports).toHaveLength(Math.floor(MAX_REPORT_BYTES / (501 * 1024)));
    await world.acknowledge();
    expect(world.lastReport.request.reports).toHaveLength(6);
  });
});

describe('after a failed call', () => {
  test.each([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED])(
    'with code %s the same reports are sent again, after a growing delay',
    async (code) => {
      const { world, jobs } = await running(2);
      world.endAll(jobs);
      const waits: number[] = [];
      for (let i = 0; i < 8; i++) {
        const failedAt = world.time.now();
        await world.lastReport.fail(code);
        const calls = world.reports.length;
        await world.time.advance(2_000);
        expect(world.reports).toHaveLength(calls + 1);
        waits.push(world.lastReport.sentAt - failedAt);
        await world.answerBeats();
      }
      expect(waits).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
      const sent = world.reports.map(({ request }) => request.reports.map(outcomeText).join());
      expect(new Set(sent)).toEqual(new Set(['1.1 result,2.1 result']));
    },
  );

  test('only the report without an answer is sent again', async () => {
    const { world, jobs } = await running(2);
    world.endAll(jobs);
    const results = [ReportResult.ACCEPTED, ReportResult.UNSPECIFIED];
    await world.lastReport.answer(create(ReportAttemptsResponseSchema, { results }));
    await world.time.advance(1_000);
    expect(world.lastReport.request.reports.map(outcomeText)).toEqual(['2.1 result']);
  });

  test('a report that the server refuses is found by halving, and becomes a final failure', async () => {
    const { world, jobs } = await running(5);
    world.endAll(jobs);
    for (let i = 0; i < 20 && !world.lastReport.settled; i++) {
      const { request } = world.lastReport;
      const results = request.reports.map(() => ReportResult.ACCEPTED);
      if (request.reports.map(outcomeText).includes('4.1 result')) await world.lastReport.fail(Code.INVALID_ARGUMENT);
      else await world.lastReport.answer(create(ReportAttemptsResponseSchema, { results }));
    }
    expect(world.outcomes.filter((outcome) => outcome.includes('ReportRefused'))).toEqual([
      '4.1 failure ReportRefused',
    ]);
    expect(world.outcomes).toContain('4.1 failure ReportRefused');
    expect(await held(world)).toBe(0);
  });

  test('a refused release is dropped, because the server releases the attempt by itself', async () => {
    const { world } = await running(1);
    await world.deliver([assign(9, 99n)]);
    await world.lastReport.fail(Code.INVALID_ARGUMENT);
    expect(await held(world)).toBe(1);
  });
});

test('a result that is too large becomes a final failure', async () => {
  const { world, jobs } = await running(1, { maxPayload: 10 });
  await world.end(jobs[0] as never, result('eleven char'));
  expect(world.outcomes).toEqual(['1.1 failure ResultTooLarge']);
  expect(world.lastReport.request.reports[0]?.outcome.value).toMatchObject({ nonRetryable: true });
});

test('a failure of the handler is reported as it is', async () => {
  const { world, jobs } = await running(1);
  await world.end(jobs[0] as never, failure('ValueError'));
  expect(world.outcomes).toEqual(['1.1 failure ValueError']);
});
