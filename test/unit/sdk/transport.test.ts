/** Errors of calls, and retries of calls. */
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { Metadata } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withRetry } from '../../../sdk/typescript/src/client/transport-retry.ts';
import { durationFromMs } from '../../../sdk/typescript/src/duration.ts';
import { Code, MusterError } from '../../../sdk/typescript/src/error.ts';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '../../../sdk/typescript/src/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../../sdk/typescript/src/gen/google/rpc/status_pb.ts';
import { musterError } from '../../../sdk/typescript/src/transport/status-details.ts';

function serviceError(code: number, trailer?: Uint8Array) {
  const metadata = new Metadata();
  if (trailer) metadata.set('grpc-status-details-bin', Buffer.from(trailer));
  return Object.assign(new Error(`${code} X: short`), { code, details: 'short', metadata });
}

describe('an error of a call', () => {
  test('has the reason, the variables, the fields and the delay from the details', () => {
    const status = create(StatusSchema, {
      code: 3,
      message: 'the whole story',
      details: [
        anyPack(
          ErrorInfoSchema,
          create(ErrorInfoSchema, { reason: 'INVALID_FIELD', domain: 'muster', metadata: { a: 'b' } }),
        ),
        anyPack(
          BadRequestSchema,
          create(BadRequestSchema, { fieldViolations: [{ field: 'job.input', description: 'too large' }] }),
        ),
        anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationFromMs(250) })),
      ],
    });
    expect(musterError(serviceError(3, toBinary(StatusSchema, status)))).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: 'the whole story',
      reason: 'INVALID_FIELD',
      metadata: { a: 'b' },
      fieldViolations: [{ field: 'job.input', description: 'too large' }],
      retryDelayMs: 250,
    });
  });

  test('without details or with broken ones has what is known', () => {
    const plain = { code: 14, message: 'short', reason: '', fieldViolations: [], retryDelayMs: undefined };
    expect(musterError(serviceError(14))).toMatchObject(plain);
    expect(musterError(serviceError(14, new Uint8Array([255, 1, 2])))).toMatchObject(plain);
  });
});

describe('a retry of a call', () => {
  const retry = { maxAttempts: 4, minBackoffMs: 10, maxBackoffMs: 40 };
  const error = (code: number, retryDelayMs?: number) => new MusterError({ code, message: 'planted', retryDelayMs });

  /** Runs a call that fails with these errors, then answers. Returns how often it was made. */
  async function attempt(errors: MusterError[], timeoutMs = 10_000, signal?: AbortSignal) {
    let calls = 0;
    const outcome = withRetry(retry, { timeoutMs, signal }, async () => {
      const failure = errors[calls++];
      if (failure) throw failure;
      return 'answer';
    }).catch((reason: MusterError) => reason.code);
    await vi.runAllTimersAsync();
    return { outcome: await outcome, calls };
  }

  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('happens a bounded number of times for UNAVAILABLE', async () => {
    const down = error(Code.UNAVAILABLE);
    expect(await attempt([down, down])).toEqual({ outcome: 'answer', calls: 3 });
    expect(await attempt([down, down, down, down])).toEqual({ outcome: Code.UNAVAILABLE, calls: 4 });
  });

  test('waits as long as an overloaded server asks', async () => {
    const started = performance.now();
    expect(await attempt([error(Code.RESOURCE_EXHAUSTED, 300)])).toMatchObject({ outcome: 'answer' });
    expect(performance.now() - started).toBeGreaterThanOrEqual(300);
  });

  test.each([
    Code.INVALID_ARGUMENT,
    Code.NOT_FOUND,
    Code.ALREADY_EXISTS,
    Code.RESOURCE_EXHAUSTED,
    Code.DEADLINE_EXCEEDED,
  ])('does not happen for code %s', async (code) => {
    expect(await attempt([error(code)])).toEqual({ outcome: code, calls: 1 });
  });

  test('does not happen after a refusal by a throttle, though it gives a delay', async () => {
    const throttled = new MusterError({
      code: Code.RESOURCE_EXHAUSTED,
      message: '',
      reason: 'THROTTLED',
      retryDelayMs: 5,
    });
    expect(await attempt([throttled])).toEqual({ outcome: Code.RESOURCE_EXHAUSTED, calls: 1 });
  });

  test('respects the total deadline', async () => {
    expect(await attempt([error(Code.RESOURCE_EXHAUSTED, 600)], 500)).toEqual({
      outcome: Code.RESOURCE_EXHAUSTED,
      calls: 1,
    });
  });

  /** The times that the tries get, of which the first ones are not answered. */
  async function shares(timeoutMs: number, unanswered: number) {
    const given: number[] = [];
    const outcome = withRetry(retry, { timeoutMs, isShared: true }, async (ms) => {
      given.push(Math.round(ms));
      if (given.length > unanswered) return 'answer';
      await new Promise((resolve) => setTimeout(resolve, ms));
      throw error(Code.DEADLINE_EXCEEDED);
    }).catch((reason: MusterError) => reason.code);
    await vi.runAllTimersAsync();
    return { outcome: await outcome, given };
  }

  test('follows when one of several replicas has not answered in its share of the time', async () => {
    expect(await shares(15_000, 1)).toEqual({ outcome: 'answer', given: [5_000, 5_000] });
    expect(await shares(15_000, 3)).toEqual({ outcome: Code.DEADLINE_EXCEEDED, given: [5_000, 5_000, 5_000] });
    expect(await shares(2_500, 2)).toEqual({ outcome: Code.DEADLINE_EXCEEDED, given: [1_000, 1_500] });
    expect(await shares(1_500, 1)).toEqual({ outcome: Code.DEADLINE_EXCEEDED, given: [1_500] });
  });

  test('stops when the caller gives up', async () => {
    const caller = new AbortController();
    const pending = attempt([error(Code.RESOURCE_EXHAUSTED, 9_000)], 10_000, caller.signal);
    caller.abort();
    expect(await pending).toEqual({ outcome: Code.CANCELLED, calls: 1 });
  });
});
