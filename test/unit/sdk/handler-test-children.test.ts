/** Handlers with children in the test harness. */
import { describe, expect, it } from 'vitest';
import {
  Code,
  decodePayload,
  type JobContext,
  JobState,
  MusterError,
  NonRetryableError,
} from '../../../sdk/typescript/src/index.ts';
import { runHandler, startHandler } from '../../../sdk/typescript/src/testing.ts';

const square = (_: JobContext, side: number) => side * side;

async function sumOfSquares(ctx: JobContext, count: number): Promise<number> {
  ctx.log('info', `run ${ctx.attempt} from ${ctx.lastCheckpoint}`);
  ctx.checkpoint('submitted');
  const children = [];
  for (let side = 0; side < count; side++) children.push(await ctx.submit('square', side));
  return (await ctx.wait<number>(children)).reduce((sum, area) => sum + area, 0);
}

describe('a handler under test with children', () => {
  it('runs again when they have ended, as a later attempt with its checkpoint', async () => {
    const outcome = await runHandler(sumOfSquares, 4, { children: { square } });
    expect(outcome).toMatchObject({ result: 14, runs: 2, checkpoints: ['submitted', 'submitted'] });
    const submitted = outcome.children.map(({ definition, input }) => [definition, decodePayload(input)]);
    expect(submitted).toEqual([0, 1, 2, 3].map((side) => ['square', side]));
    expect(outcome.logs.map(({ attempt, message }) => [attempt, message])).toEqual([
      [1, 'run 1 from undefined'],
      [2, 'run 2 from submitted'],
    ]);
  });

  it('runs a third time when it waits for more than one report may name', async () => {
    const outcome = await runHandler(sumOfSquares, 1_001, { children: { square } });
    expect([outcome.runs, outcome.children.length]).toEqual([3, 1_001]);
  });

  it('gets the failure of a child', async () => {
    const children = {
      square: (_: JobContext, side: number) => {
        throw new NonRetryableError(`no square of ${side}`);
      },
    };
    const { failure } = await runHandler(sumOfSquares, 1, { children });
    expect(failure).toMatchObject({ type: 'JobFailedError' });
    expect(failure?.message).toMatch(/ended FAILED: NonRetryableError: no square of 0$/);
    const polls = async (ctx: JobContext) =>
      (await ctx.ended([await ctx.submit('square', 7)])).map(({ state }) => state);
    expect((await runHandler(polls, undefined, { children })).result).toEqual([JobState.FAILED]);
  });

  it('may have grandchildren, down to the maximum depth of the control plane', async () => {
    const two = async (ctx: JobContext) => ctx.wait([await ctx.submit('sum', 3), await ctx.submit('sum', 4)]);
    const outcome = await runHandler(two, undefined, { children: { square, sum: sumOfSquares } });
    expect(outcome.result).toEqual([5, 14]);
    expect(outcome.children.map(({ definition }) => definition)).toEqual(['sum', 'sum']);
    let deepest = 0;
    const deeper = async (ctx: JobContext, depth: number): Promise<unknown> => {
      deepest = Math.max(deepest, depth);
      return ctx.wait([await ctx.submit('deeper', depth + 1)]);
    };
    const { failure } = await runHandler(deeper, 1, { children: { deeper } });
    expect(deepest).toBe(16);
    expect(failure?.message).toContain('more than 16 deep');
  });

  it('gets the facts of each: job, version, run timeout, parent', async () => {
    const child = ({ jobId, definitionVersion, runTimeoutMs, namespace, attempt }: JobContext) => ({
      ...{ jobId, definitionVersion, runTimeoutMs, namespace, attempt },
    });
    const parent = async (ctx: JobContext) => {
      const options = { definitionVersion: 3, runTimeoutMs: 2_500, labels: { album: 'summer' } };
      const [job] = await ctx.ended([await ctx.submit('child', undefined, options)]);
      return {
        reported: decodePayload(job?.outcome.value as never),
        is: job?.jobId,
        of: job?.parentJobId,
        has: job?.labels,
      };
    };
    const jobId = '0198c0de-0000-7000-8000-000000000001';
    const { reported, is, of, has } = (
      await runHandler<Record<string, unknown>>(parent, undefined, { jobId, namespace: 'shop', children: { child } })
    ).result;
    expect(reported).toEqual({ jobId: is, definitionVersion: 3, runTimeoutMs: 2_500, namespace: 'shop', attempt: 1 });
    expect([of, has]).toEqual([jobId, { album: 'summer' }]);
  });

  it('ends suspended when one stays open, though others have ended', async () => {
    const both = async (ctx: JobContext) => ctx.wait([await ctx.submit('square', 2), await ctx.submit('review')]);
    const outcome = await runHandler(both, undefined, { children: { square, review: 'open' } });
    expect(outcome).toMatchObject({ kind: 'suspended', runs: 1, failure: undefined });
    expect(() => outcome.result).toThrow('it ended with "suspended"');
  });
});

describe('a handler under test is refused', () => {
  it('when it starts other children in a later run', async () => {
    let sides = 0;
    const shifting = async (ctx: JobContext) => ctx.wait([await ctx.submit('square', ++sides)]);
    const { failure } = await runHandler(shifting, undefined, { children: { square } });
    expect(failure).toMatchObject({ type: 'MusterError' });
    expect(failure?.message).toContain('in the place of this one');
  });

  it('for children that the test does not define, and for jobs that are not its own', async () => {
    const refusal = async (call: Promise<unknown>) => {
      const error = await call.catch((reason: unknown) => reason);
      return error instanceof MusterError ? [error.code, error.reason] : error;
    };
    const asks = async (ctx: JobContext) => [
      await refusal(ctx.submit('toString', 1)),
      await refusal(ctx.ended(['nobody'])),
    ];
    expect((await runHandler(asks, undefined, { children: { square } })).result).toEqual([
      [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
      [Code.NOT_FOUND, 'JOB_NOT_FOUND'],
    ]);
  });

  it('for a wait without end', async () => {
    const always = async (ctx: JobContext) => ctx.wait([await ctx.submit('square', 1, { key: `run ${ctx.attempt}` })]);
    await expect(runHandler(always, undefined, { children: { square } })).rejects.toThrow(
      'waits for children of its job for the 100th time',
    );
  });
});

describe('a handler under test that has children and is stopped', () => {
  it('does not run again', async () => {
    const parent = async (ctx: JobContext) => {
      const stopped = new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      const child = await ctx.submit('square', 1);
      await stopped;
      return ctx.wait([child]);
    };
    const running = startHandler(parent, undefined, { children: { square } });
    running.stop('cancelled');
    expect(await running.outcome).toMatchObject({ kind: 'cancelled', runs: 1 });
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['shutdown', 'suspended'],
  ] as const)('by %s while it waits ends %s, and its children are stopped', async (reason, kind) => {
    const entered = Promise.withResolvers<void>();
    const seen: string[] = [];
    const slow = ({ signal }: JobContext, side: number) => {
      seen.push(`entered ${side}`);
      entered.resolve();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          seen.push(signal.reason.reason);
          reject(signal.reason);
        });
      });
    };
    const running = startHandler(sumOfSquares, 2, { children: { square: slow } });
    await entered.promise;
    running.stop(reason);
    expect(await running.outcome).toMatchObject({ kind, runs: 1 });
    expect(seen).toEqual(['entered 0', reason]);
  });
});
