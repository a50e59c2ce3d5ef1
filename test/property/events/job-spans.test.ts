/** The spans of a job: one tree without gaps or overlaps, for any life, each span ended by exactly one change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedSpans, closesSpans } from '../../../server/domain/events/closed-spans.ts';
import { jobSpans } from '../../../server/domain/events/job-spans.ts';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { isTerminal } from '../../../server/domain/jobs/job-state.ts';
import { NOON_US } from '../base/arbitraries.ts';
import { changedJob, JOB_ID, tracedJob as job } from './traced-lives.ts';

describe('the spans of a job', () => {
  it('form one tree, under the caller or alone, with unique ids', () => {
    fc.assert(
      fc.property(job, (one) => {
        const [root, ...parts] = jobSpans(one);
        expect(root).toMatchObject({ phase: 'job', spanId: spanIdOf(JOB_ID, 0, 'job'), startTimeUs: NOON_US });
        expect(root?.parentSpanId).toBe(one.traceparent === '' ? undefined : 'b7ad6b7169203331');
        for (const part of parts) expect([part.traceId, part.parentSpanId]).toEqual([root?.traceId, root?.spanId]);
        expect(new Set([root, ...parts].map((each) => each?.spanId)).size).toBe(parts.length + 1);
      }),
    );
  });

  it('cover the whole time of the job, each part once', () => {
    fc.assert(
      fc.property(job, (one) => {
        const numbered = one.attempts.every(({ attempt }, at) => attempt === at + 1);
        const [root, ...parts] = jobSpans(one);
        // The outcome of attempts before the first one on record is unknown.
        let untilUs: number | undefined =
          numbered || one.attempts[0]?.attempt === 1 || parts[0]?.phase === 'wait' ? NOON_US : parts[0]?.startTimeUs;
        for (const part of parts) {
          expect(part.startTimeUs).toBe(untilUs);
          untilUs = part.endTimeUs;
        }
        expect(untilUs).toBe(root?.endTimeUs);
        expect(parts.filter((part) => part.endTimeUs === undefined).length).toBe(isTerminal(one.state) ? 0 : 1);
      }),
    );
  });

  it('link each attempt to the previous one, and the job to the job it retries and to jobs whose results its steps reuse', () => {
    fc.assert(
      fc.property(job, (one) => {
        const [root, ...parts] = jobSpans(one);
        const attempts = parts.filter(({ phase }) => phase === 'attempt');
        expect(attempts.map(({ attempt }) => attempt)).toEqual(one.attempts.map(({ attempt }) => attempt));
        attempts.forEach(({ links }, at) => {
          const before = attempts[at - 1];
          expect(links.map(({ spanId }) => spanId)).toEqual(before ? [before.spanId] : []);
        });
        const kinds = root?.links.map(({ attributes }) => attributes['muster.link.kind']);
        expect(kinds).toEqual([...(one.retryOf ? ['retry_of'] : []), ...one.cached.map(() => 'cached_step')]);
      }),
    );
  });

  it('are marked as failed, with the reason, where they failed', () => {
    fc.assert(
      fc.property(job, (one) => {
        for (const { failed, attributes, phase } of jobSpans(one)) {
          expect('error.type' in attributes).toBe(failed);
          const outcome = attributes['muster.attempt.outcome'];
          if (phase === 'attempt')
            expect(failed).toBe(
              !['SUCCEEDED', 'CANCELLED', 'RELEASED', 'SUSPENDED', undefined].includes(outcome as string),
            );
        }
      }),
    );
  });
});

describe('a change of a job', () => {
  it('ends spans that no other change ends, and all changes together end all completed spans', () => {
    fc.assert(
      fc.property(changedJob, ({ job: one, changes }) => {
        const spans = jobSpans(one);
        const reported = changes.flatMap((change) => closedSpans(change, spans));
        const open = one.attempts.find(({ outcome }) => outcome === undefined)?.attempt;
        // A wait is reported with the attempt that followed it.
        const ended = spans.filter(({ endTimeUs, attempt }) => endTimeUs !== undefined && attempt !== open);
        expect(reported.map(({ spanId }) => spanId).sort()).toEqual(ended.map(({ spanId }) => spanId).sort());
        for (const change of changes) if (!closesSpans(change)) expect(closedSpans(change, spans)).toEqual([]);
      }),
    );
  });

  it('ends no span while a session leases the job, or when no session did', () => {
    for (const [previousState, state] of [
      [undefined, 'READY'],
      ['SCHEDULED', 'READY'],
      ['RUNNING', 'CANCELLING'],
      ['READY', 'PAUSED'],
    ] as const)
      expect(closesSpans({ attempt: 1, previousState, state })).toBe(false);
  });
});
