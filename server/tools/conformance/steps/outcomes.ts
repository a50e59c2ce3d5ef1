/** Steps that wait for the outcome of an attempt. */

import { isDeepStrictEqual } from 'node:util';
import { toBinary } from '@bufbuild/protobuf';
import { type Failure, FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import type { Payload } from '@muster-jobs/sdk/gen/muster/v1/payload_pb';
import {
  type AttemptReport,
  AttemptReportSchema,
  ReleaseReason,
} from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { ReportAttemptsRequest } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import type { Step } from '../case.ts';
import { enumName } from '../enum-name.ts';
import { Unfulfilled } from '../failures.ts';
import { keyOf, outcomeText, type ReportSeen } from '../plane/attempt.ts';
import type { Stage, Waiting } from '../stage.ts';
import { check, complain } from './life.ts';

/** The problem of a report; undefined: none. */
export type Expected = { readonly text: string; fault(report: AttemptReport): string | undefined };

/** The first report of the attempt must be the expected one. */
export function reported(name: string, expected: Expected, waiting: Waiting = {}): Step {
  const text = `${name} is reported: ${expected.text}`;
  return {
    text,
    async run(stage) {
      const reports = async (): Promise<readonly ReportSeen[]> => {
        const ask = () => stage.attempt(name).reports.length > 0 && stage.attempt(name).reports;
        const found = await stage.until(text, ask, waiting);
        const isWanted = found[0] && expected.fault(found[0].report) === undefined;
        if (isWanted || !stage.attempt(name).isPassedOver) return found;
        await stage.attempt(name).reassign?.();
        return reports();
      };
      const [first] = await reports();
      if (!first) return;
      const fault = expected.fault(first.report);
      if (fault !== undefined) throw new Unfulfilled(`${name} was reported as ${outcomeText(first.report)}: ${fault}`);
    },
  };
}

/** A heartbeat lists it; with `isStarted`, as started. */
export function isHeld(name: string, isStarted = true): Step {
  const text = `a beat lists ${name}${isStarted ? ' as started' : ''}`;
  return {
    text,
    async run(stage) {
      await stage.until(text, () => {
        const { heldAt, startedAt, reports } = stage.attempt(name);
        // Also if a report has arrived since: both may be read in the same turn of the event loop.
        const at = isStarted ? startedAt : heldAt;
        if (at !== undefined) return at;
        const [report] = reports;
        if (report && stage.attempt(name).isPassedOver) return true;
        if (report) complain(`${name} was reported as ${outcomeText(report.report)} before ${text}`);
        return undefined;
      });
      if (!stage.attempt(name).isPassedOver) return;
      await stage.attempt(name).reassign?.();
      await isHeld(name, isStarted).run(stage);
    },
  };
}

/** Handlers may be processes, which need a moment after their start before they react to messages. */
const BEGINNING_MS = 1_000;

/** It is held as started, and has had time to begin. */
export function hasBegun(name: string): Step {
  return {
    text: `${name} has begun`,
    async run(stage) {
      await isHeld(name).run(stage);
      const since = performance.now();
      await stage.until(`${name} has begun`, () => performance.now() - since > BEGINNING_MS);
    },
  };
}

/** All reports of this attempt in calls, whatever their result, except for the first `after`. */
function reportsOf({ plane }: Stage, key: string, after = 0): AttemptReport[] {
  return plane
    .callsOf('ReportAttempts')
    .slice(after)
    .flatMap(({ request }) => (request as ReportAttemptsRequest).reports)
    .filter((report) => keyOf(report) === key);
}

/** All calls with a report of it, including those without effect, contained the identical report. */
export function reportedAgain(name: string): Step {
  return check(`each report of ${name} is the same`, (stage) => {
    const reports = reportsOf(stage, stage.attempt(name).key);
    const bodies = new Set(
      reports.map((report) => Buffer.from(toBinary(AttemptReportSchema, { ...report, logs: [] })).toString('hex')),
    );
    return bodies.size === 1 ? undefined : `${name} was reported in ${bodies.size} ways`;
  });
}

/** It is not reported within this time. */
export function notReported(name: string, forMs: number): Step {
  return {
    text: `for ${forMs} ms no report of ${name}`,
    async run(stage) {
      const { key } = stage.attempt(name);
      const before = stage.plane.callsOf('ReportAttempts').length;
      // Also in another session.
      const isReported = () => stage.attempt(name).reports.length > 0 || reportsOf(stage, key, before).length > 0;
      await stage.never(`a report of ${name}`, isReported, forMs);
    },
  };
}

const wanted = (
  text: string,
  isFulfilled: (report: AttemptReport) => boolean,
  why = `${text} was expected`,
): Expected => ({
  text,
  fault: (report) => (isFulfilled(report) ? undefined : why),
});

/** Any of these. */
export function isOneOf(...expected: readonly Expected[]): Expected {
  return {
    text: expected.map(({ text }) => text).join(' or '),
    fault: (report) => {
      const faults = expected.map(({ fault }) => fault(report));
      return faults.includes(undefined) ? undefined : faults.join(', ');
    },
  };
}

export function released(...reasons: (keyof typeof ReleaseReason)[]): Expected {
  const allowed: number[] = reasons.map((reason) => ReleaseReason[reason]);
  return wanted(
    `released ${reasons.join(' or ')}`,
    ({ outcome }) => outcome.case === 'released' && allowed.includes(outcome.value.reason),
  );
}

export const cancelled = wanted('cancelled', ({ outcome }) => outcome.case === 'cancelled');
/** It stopped on request, and waits for no children. */
export const suspended = wanted(
  'suspended, without children',
  ({ outcome }) => outcome.case === 'suspended' && outcome.value.childJobIds.length === 0,
);
export const aborted = wanted('aborted', ({ outcome }) => outcome.case === 'aborted');
export const anyResult = wanted('a result', ({ outcome }) => outcome.case === 'result');

/** A JSON result equal to this value. */
export function result(value: unknown): Expected {
  return wanted(`the result ${JSON.stringify(value)}`, ({ outcome }) => {
    if (outcome.case !== 'result' || outcome.value.contentType !== 'application/json') return false;
    return isDeepStrictEqual(JSON.parse(Buffer.from(outcome.value.data).toString()), value);
  });
}

/** A JSON result; `fault` returns its problem. */
export function resultThat(text: string, fault: (value: Record<string, unknown>) => string | undefined): Expected {
  return {
    text,
    fault: ({ outcome }) => {
      if (outcome.case !== 'result') return 'a result was expected';
      return fault(JSON.parse(Buffer.from(outcome.value.data).toString()) as Record<string, unknown>);
    },
  };
}

/** A result with exactly these bytes and this content type. */
export function payloadResult(payload: Payload): Expected {
  const text = `a result of ${payload.data.length} bytes, ${payload.contentType || 'without content type'}, byte for byte`;
  return wanted(text, ({ outcome }) => {
    if (outcome.case !== 'result') return false;
    return outcome.value.contentType === payload.contentType && Buffer.from(payload.data).equals(outcome.value.data);
  });
}

export interface ExpectedFailure {
  readonly type?: string;
  readonly message?: string;
  readonly cause?: keyof typeof FailureCause;
  /** Default: false. */
  readonly isNonRetryable?: boolean | 'any';
  readonly retryDelayMs?: number;
}

export function failure(expected: ExpectedFailure = {}): Expected {
  return {
    text: `a failure ${JSON.stringify(expected)}`,
    fault: ({ outcome }) => {
      if (outcome.case !== 'failure') return 'a failure was expected';
      return failureFault(outcome.value, expected);
    },
  };
}

function failureFault(failed: Failure, expected: ExpectedFailure): string | undefined {
  const { type, message, cause = 'APPLICATION', isNonRetryable = false, retryDelayMs } = expected;
  if (failed.type === '') return 'its type is empty';
  if (type !== undefined && failed.type !== type) return `its type should be ${JSON.stringify(type)}`;
  if (message !== undefined && !failed.message.includes(message))
    return `its message should have ${JSON.stringify(message)}`;
  if (failed.failureCause !== FailureCause[cause])
    return `its cause is ${enumName(FailureCause, failed.failureCause)} and should be ${cause}`;
  if (isNonRetryable !== 'any' && failed.nonRetryable !== isNonRetryable)
    return `non_retryable is ${failed.nonRetryable} and should be ${isNonRetryable}`;
  const delay = failed.retryDelay && Number(failed.retryDelay.seconds) * 1_000 + failed.retryDelay.nanos / 1e6;
  return delay === retryDelayMs ? undefined : `retry_delay is ${delay} ms and should be ${retryDelayMs} ms`;
}
