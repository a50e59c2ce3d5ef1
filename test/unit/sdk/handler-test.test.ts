/** Handlers in the test harness: their input, their output, and the report that a worker would send. */
import { describe, expect, it, vi } from 'vitest';
import {
  FailureCause,
  HandlerStopped,
  InfrastructureError,
  type JobContext,
  LogRecordLevel,
  NonRetryableError,
  payload,
  RetryLater,
  type StopReason,
} from '../../../sdk/typescript/src/index.ts';
import { type HandlerOptions, runHandler, startHandler } from '../../../sdk/typescript/src/testing.ts';

const JOB_ID = '0198c0de-0000-7000-8000-000000000001';

async function importRows(ctx: JobContext, rows: string[]): Promise<number> {
  const start = Number(ctx.lastCheckpoint ?? 0);
  for (const [at, row] of rows.entries()) {
    if (at < start) continue;
    if (row === '') throw new NonRetryableError(`row ${at} is empty`);
    ctx.checkpoint(at + 1);
    ctx.progress((at + 1) / rows.length, `row ${at}`);
  }
  return rows.length - start;
}

/** A handler that ends with the given result once it is asked to stop. */
const stoppable =
  (end: () => unknown) =>
  async ({ signal }: JobContext) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (!(signal.reason instanceof HandlerStopped)) throw new Error('the signal has another reason');
    return end();
  };

const throwing = (error: unknown) => () => {
  throw error;
};

describe('a handler under test', () => {
  it('gives its result and messages, and may continue from the checkpoint of an earlier attempt', async () => {
    const outcome = await runHandler<number>(importRows, ['a', 'b', 'c'], { attempt: 2, lastCheckpoint: 1 });
    expect(outcome).toMatchObject({ kind: 'result', result: 2, runs: 1, failure: undefined, checkpoints: [2, 3] });
    expect(outcome.progress).toEqual([
      { fraction: 2 / 3, message: 'row 1' },
      { fraction: 1, message: 'row 2' },
    ]);
  });

  it('gets the facts of its attempt', async () => {
    const facts: HandlerOptions = {
      jobId: JOB_ID,
      attempt: 3,
      attemptCount: 1,
      namespace: 'shop',
      definition: 'resize',
      definitionVersion: 4,
      runTimeoutMs: 1_500,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
    };
    const reported = (ctx: JobContext) =>
      Object.fromEntries([...Object.keys(facts), 'fencingToken'].map((key) => [key, Reflect.get(ctx, key)]));
    expect((await runHandler(reported, undefined, facts)).result).toEqual({ ...facts, fencingToken: 3 });
    const { result } = await runHandler(reported);
    expect(result).toMatchObject({ attempt: 1, attemptCount: 0, namespace: 'default', runTimeoutMs: 3_600_000 });
    expect(result).toMatchObject({ definition: 'test', definitionVersion: 1, traceparent: '', tracestate: '' });
  });

  it('gets its input and gives its result in the encoding of production', async () => {
    const echo = (_: JobContext, input: unknown) => input;
    const at = new Date(0);
    expect((await runHandler(echo, { at, no: undefined })).result).toEqual({ at: at.toISOString() });
    expect((await runHandler(echo, Uint8Array.of(1, 2))).result).toEqual(Uint8Array.of(1, 2));
    const nothing = await runHandler(echo);
    expect([nothing.kind, nothing.result]).toEqual(['result', undefined]);
    const png = await runHandler({ run: () => payload(Uint8Array.of(1), 'image/png', { width: '7' }), minVersion: 2 });
    expect(png.payload).toMatchObject({ contentType: 'image/png', metadata: { width: '7' } });
  });

  it('keeps its log and the requested time, and checks both', async () => {
    const { result, logs, runTimeoutExtensionMs } = await runHandler(
      (ctx: JobContext) => {
        ctx.log('debug', 'reading', { rows: 7 });
        ctx.extendRunTimeout(2_000);
        ctx.extendRunTimeout(3_000);
        expect(() => ctx.extendRunTimeout(0)).toThrow(RangeError);
        expect(() => ctx.checkpoint('more than ten bytes')).toThrow(/has 21 bytes; the maximum is 10/);
        ctx.log('error', 'x'.repeat(9_000));
        return 'done';
      },
      undefined,
      { maxPayload: 10, attempt: 4 },
    );
    expect([result, runTimeoutExtensionMs]).toEqual(['done', 5_000]);
    expect(logs[0]).toMatchObject({
      attempt: 4,
      level: LogRecordLevel.DEBUG,
      message: 'reading',
      fields: { rows: '7' },
    });
    expect(logs[1]).toMatchObject({ sequence: 2n, level: LogRecordLevel.ERROR, truncated: true });
  });

  it('needs no timer of its own, so a test may stop the clock', async () => {
    vi.useFakeTimers();
    try {
      const running = startHandler(() => new Promise((resolve) => setTimeout(() => resolve('rang'), 60_000)));
      vi.advanceTimersByTime(60_000);
      expect((await running.outcome).result).toBe('rang');
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('an error of a handler under test', () => {
  it('is the failure that the worker would report, with the retry settings', async () => {
    const final = await runHandler(importRows, ['a', '']);
    expect(final).toMatchObject({ kind: 'failure', checkpoints: [1] });
    expect(final.failure).toMatchObject({ type: 'NonRetryableError', message: 'row 1 is empty', nonRetryable: true });
    expect(() => final.result).toThrow('it ended with "failure": NonRetryableError: row 1 is empty');
    const later = await runHandler(throwing(new RetryLater(1_500, 'busy')));
    expect(later.failure).toMatchObject({ nonRetryable: false, retryDelay: { seconds: 1n, nanos: 500_000_000 } });
    const machine = await runHandler(throwing(Object.assign(new InfrastructureError('no disk'), { exitCode: 3 })));
    expect(machine.failure).toMatchObject({ failureCause: FailureCause.INFRASTRUCTURE, exitCode: 3 });
    expect((await runHandler(throwing('text'))).failure).toMatchObject({ type: 'NotAnError' });
  });

  it('is also raised for faults that the worker finds', async () => {
    const broken = payload(new TextEncoder().encode('{'), 'application/json');
    const cases = [
      [await runHandler(importRows, broken), 'the input is not what its content type says'],
      [await runHandler(() => 1n), 'the result can not be written as JSON'],
      [await runHandler(() => 'four', undefined, { maxPayload: 5 }), 'the result has 6 bytes; the maximum is 5'],
    ] as const;
    for (const [{ failure }, message] of cases) expect(failure).toMatchObject({ message, nonRetryable: true });
  });
});

describe('a handler under test that is asked to stop', () => {
  const stop = async (reason: StopReason, end: () => unknown) => {
    const running = startHandler(stoppable(end));
    running.stop(reason);
    running.stop('cancelled');
    const { kind, failure } = await running.outcome;
    return failure ? `${kind} ${failure.type}` : kind;
  };
  const gaveUp = throwing(new Error('gave up'));
  const done = () => 'done';

  it.each<[StopReason, () => unknown, string]>([
    ['cancelled', gaveUp, 'cancelled'],
    ['cancelled', done, 'result'],
    ['suspended', gaveUp, 'suspended'],
    ['suspended', done, 'result'],
    ['run_timeout', gaveUp, 'failure RunTimeout'],
    ['run_timeout', done, 'failure RunTimeout'],
    ['lease_lost', done, 'aborted'],
    ['shutdown', done, 'dropped'],
  ])('for %s ends as the worker would report it: case %#', async (reason, end, kind) => {
    expect(await stop(reason, end)).toBe(kind);
  });

  it('knows why, even when it is asked before it begins', async () => {
    const run = (ctx: JobContext) => {
      ctx.log('info', String(ctx.signal.aborted && ctx.signal.reason.reason));
      ctx.signal.throwIfAborted();
    };
    const outcome = await runHandler(run, undefined, { stopReason: 'cancelled' });
    expect(outcome.kind).toBe('cancelled');
    expect(outcome.logs.map(({ message }) => message)).toEqual(['cancelled']);
    expect(() => outcome.result).toThrow('it ended with "cancelled"');
  });

  it('may suspend its job with a checkpoint, also when nobody asked', async () => {
    const run = (ctx: JobContext) => ctx.suspend({ page: 7 });
    for (const options of [{}, { stopReason: 'suspended' }] as const) {
      const outcome = await runHandler(run, undefined, options);
      expect([outcome.kind, outcome.checkpoints, outcome.runs]).toEqual(['suspended', [{ page: 7 }], 1]);
    }
    const { checkpoints } = await runHandler((ctx: JobContext) => ctx.suspend());
    expect(checkpoints).toEqual([]);
  });

  it('was entered when it is started, and is ignored once it has returned', async () => {
    let reported = (_fraction: number): void => {};
    const running = startHandler((ctx: JobContext) => {
      reported = (fraction) => ctx.progress(fraction);
      reported(0.5);
      return 1;
    });
    reported(0.9);
    running.stop('cancelled');
    const { result, progress } = await running.outcome;
    expect([result, progress]).toEqual([1, [{ fraction: 0.5, message: '' }]]);
  });
});

describe('a mistake of the test', () => {
  it.each<[HandlerOptions, unknown, RegExp]>([
    [{ jobId: 'x' }, 1, /^jobId: "x" is no UUID/],
    [{ attempt: 0 }, 1, /^attempt: 0 is no whole number from 1/],
    [{ attemptCount: 1.5 }, 1, /^attemptCount: 1.5 is no whole number from 0/],
    [{ definitionVersion: -1 }, 1, /^definitionVersion: -1 /],
    [{ runTimeoutMs: -1 }, 1, /can't be -1 ms/],
    [{ lastCheckpoint: () => {} }, 1, /a function can't be written as JSON/],
    [{}, Symbol('s'), /a symbol can't be written as JSON/],
  ])('is refused with a reason: %o', async (options, input, message) => {
    expect(() => startHandler(importRows, input, options)).toThrow(message);
    await expect(runHandler(importRows, input, options)).rejects.toThrow(message);
  });

  it.each([undefined, null, 7, {}])('in place of the handler is refused too: %o', (handler) => {
    expect(() => startHandler(handler as never)).toThrow(/^handler: \S+ is no function: give one/);
  });
});
