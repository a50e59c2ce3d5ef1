/** Errors say what happened, in which field, why, and what to do next. The exit code gives the kind of error. */

import { ErrorReasonSchema } from '@muster-jobs/sdk/gen/muster/v1/error_pb';
import { Code, MusterError } from '@muster-jobs/sdk/grpc';
import { describe, expect, it } from 'vitest';
import { CliError } from '../../../server/cli/failures/cli-error.ts';
import { reportOf } from '../../../server/cli/failures/failure-report.ts';
import { hintFor } from '../../../server/cli/failures/hints.ts';

const server = 'muster:7070';

describe('a report', () => {
  it('names the refused fields', () => {
    const fieldViolations = [{ field: 'job.queue', description: 'must be short' }];
    const error = new MusterError({
      code: Code.INVALID_ARGUMENT,
      message: 'x',
      reason: 'INVALID_FIELD',
      fieldViolations,
    });
    expect(reportOf(error, server)).toMatchObject({ fields: fieldViolations, reason: 'INVALID_FIELD', exitCode: 2 });
  });

  it('of an unreachable server gives the address, the cause, and how to start one', () => {
    const message =
      'round_robin: No connection established. Last error: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:7070. Resolution note: ';
    const report = reportOf(new MusterError({ code: Code.UNAVAILABLE, message }), server);
    expect(report.message).toBe("can't reach Muster at muster:7070: connect ECONNREFUSED 127.0.0.1:7070");
    expect(report.next).toContain('muster start');
    expect(report.exitCode).toBe(5);
  });

  it.each([
    [
      'No connection established. Last error: Error: Protocol error (2026-11-25T21:19:31.609Z)',
      'Protocol error',
      'HTTP port',
    ],
    [
      'Name resolution failed for target dns:nowhere:7070',
      'Name resolution failed for target dns:nowhere:7070',
      'name',
    ],
  ])('of %s suggests a mistake in the address', (message, why, hint) => {
    const report = reportOf(new MusterError({ code: Code.UNAVAILABLE, message }), server);
    expect(report.message).toBe(`can't reach Muster at muster:7070: ${why}`);
    expect(report.next).toContain(hint);
  });

  it.each([
    [Code.NOT_FOUND, 'JOB_NOT_FOUND', 3],
    [Code.ALREADY_EXISTS, 'IDEMPOTENCY_CONFLICT', 4],
    [Code.FAILED_PRECONDITION, 'JOB_ENDED', 4],
    [Code.ABORTED, 'ETAG_STALE', 4],
    [Code.RESOURCE_EXHAUSTED, 'OVERLOADED', 5],
    [Code.UNAVAILABLE, 'STORE_UNAVAILABLE', 5],
    [Code.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED', 5],
    [Code.UNIMPLEMENTED, 'NOT_IMPLEMENTED', 8],
    [Code.INTERNAL, 'INTERNAL', 1],
  ])('of code %i and reason %s says what to do, and ends with %i', (code, reason, exitCode) => {
    const report = reportOf(new MusterError({ code, message: 'what happened', reason }), server);
    expect(report).toMatchObject({ message: 'what happened', reason, exitCode });
    expect(report.next).not.toBe('');
  });

  it('of a call without an answer names the server', () => {
    const report = reportOf(new MusterError({ code: Code.DEADLINE_EXCEEDED, message: 'x' }), server);
    expect(report).toMatchObject({ message: 'Muster at muster:7070 did not answer in time', next: 'try again' });
  });

  it('gives the delay that the server asks for where there is no hint', () => {
    const error = new MusterError({ code: Code.ABORTED, message: 'x', reason: 'NEW_REASON', retryDelayMs: 1_200 });
    expect(reportOf(error, server).next).toBe('try again in 2 s');
  });

  it('of an error of the CLI keeps its exit code', () => {
    expect(reportOf(new CliError({ message: 'm', next: 'n', exitCode: 3 }), server)).toMatchObject({
      message: 'm',
      next: 'n',
      exitCode: 3,
    });
  });

  it('of a bug shows the stack', () => {
    expect(reportOf(new TypeError('x is no function'), server)).toMatchObject({
      message: expect.stringContaining('at '),
      exitCode: 1,
    });
  });
});

it('each reason that a user of the CLI can meet has a hint', () => {
  // Reasons for workers and for HTTP, and one whose message already names the field.
  const others = [
    'UNSPECIFIED',
    'INVALID_FIELD',
    'LEASE_LOST',
    'PROTOCOL_VERSION_UNSUPPORTED',
    'CALL_CANCELLED',
    'HOST_NOT_ALLOWED',
    'ORIGIN_NOT_ALLOWED',
  ];
  const reasons = ErrorReasonSchema.values.map(({ localName }) => localName);
  expect(reasons.length).toBeGreaterThan(20);
  for (const reason of reasons.filter((name) => !others.includes(name)))
    expect([reason, hintFor(reason)]).not.toEqual([reason, '']);
});
