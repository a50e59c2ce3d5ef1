/** The handler `script`: runs the steps of its input. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, type JobContext, NonRetryableError, type ProgressCounts, RetryLater } from '@muster-jobs/sdk';

interface FailStep {
  readonly do: 'fail';
  readonly type: string;
  readonly message: string;
  readonly non_retryable?: boolean;
  readonly retry_delay_ms?: number;
}

type Step =
  | FailStep
  | { readonly do: 'return'; readonly value: unknown }
  | { readonly do: 'return_bytes'; readonly size: number }
  | { readonly do: 'return_context' | 'wait_children' | 'return_children' }
  | { readonly do: 'raise' | 'panic' | 'log'; readonly message: string }
  | ({ readonly do: 'progress'; readonly message?: string } & ({ readonly fraction: number } | ProgressCounts))
  | { readonly do: 'checkpoint' | 'suspend'; readonly value: unknown }
  | { readonly do: 'extend' | 'sleep' | 'deaf_sleep'; readonly ms: number }
  | { readonly do: 'until_stopped'; readonly then?: readonly Step[] }
  | { readonly do: 'child'; readonly definition: string; readonly input: unknown; readonly key: string }
  | { readonly do: 'exit'; readonly code: number };

interface Returned {
  readonly result: unknown;
}

/** State that steps share. */
interface Run {
  readonly ctx: JobContext;
  readonly children: Child[];
  results: unknown[];
}

export async function runScript(ctx: JobContext, input: { readonly steps: readonly Step[] }): Promise<unknown> {
  const returned = await runSteps(input.steps, { ctx, children: [], results: [] });
  return returned ? returned.result : null;
}

async function runSteps(steps: readonly Step[], run: Run): Promise<Returned | undefined> {
  for (const step of steps) {
    const returned = await runStep(step, run);
    if (returned) return returned;
  }
  return undefined;
}

async function runStep(step: Step, run: Run): Promise<Returned | undefined> {
  const { ctx } = run;
  switch (step.do) {
    case 'return':
      return { result: step.value };
    case 'return_bytes':
      return { result: new Uint8Array(step.size) };
    case 'return_context':
      return { result: contextOf(ctx) };
    case 'return_children':
      return { result: run.results };
    case 'fail':
      throw failureOf(step);
    case 'raise':
    case 'panic':
      throw new Error(step.message);
    case 'progress':
      ctx.progress('done' in step ? step : step.fraction, step.message);
      return undefined;
    case 'checkpoint':
      ctx.checkpoint(step.value);
      return undefined;
    case 'suspend':
      return ctx.suspend(step.value);
    case 'log':
      ctx.log('info', step.message);
      return undefined;
    case 'extend':
      ctx.extendRunTimeout(step.ms);
      return undefined;
    case 'sleep':
      await untilStopped(ctx, step.ms);
      return undefined;
    case 'deaf_sleep':
      await delay(step.ms);
      return undefined;
    case 'until_stopped':
      return afterStop(step.then, run);
    case 'child':
      run.children.push(await ctx.submit(step.definition, step.input, { key: step.key }));
      return undefined;
    case 'wait_children':
      run.results = await ctx.wait(run.children);
      return undefined;
    case 'exit':
      process.exit(step.code);
      break;
    default:
      throw new TypeError(`no step does ${JSON.stringify((step as Step).do)}`);
  }
}

async function afterStop(then: readonly Step[] | undefined, run: Run): Promise<Returned | undefined> {
  const reason = await untilStopped(run.ctx, 2 ** 31 - 1).catch((stopped: unknown) => stopped);
  if (then === undefined) throw reason;
  return runSteps(then, run);
}

/** @throws HandlerStopped when the attempt is asked to stop before the time is over. */
async function untilStopped({ signal }: JobContext, ms: number): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function contextOf(ctx: JobContext) {
  return {
    job_id: ctx.jobId,
    attempt: ctx.attempt,
    attempt_count: ctx.attemptCount,
    definition: ctx.definition,
    checkpoint: ctx.lastCheckpoint ?? null,
    traceparent: ctx.traceparent,
  };
}

/** The error has the step's name; its class controls the retry. */
function failureOf({ type, message, non_retryable: isNonRetryable, retry_delay_ms: delayMs }: FailStep): Error {
  const error = isNonRetryable
    ? new NonRetryableError(message)
    : delayMs === undefined
      ? new Error(message)
      : new RetryLater(delayMs, message);
  return Object.defineProperty(error, 'name', { value: type });
}
