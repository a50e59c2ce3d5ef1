/**
 * A worker process of a crash test. Its handlers write records to a file at once, by calls that return when the kernel
 * has the data, so that a SIGKILL loses none.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type JobContext, Worker } from '@muster-jobs/sdk';

const [address = '', name = '', file = '', slots = '8'] = process.argv.slice(2);
const records = openSync(file, 'a');

const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;
/** The wall clock may be moved. */
const epochMs = Number(process.env.MUSTER_CHAOS_EPOCH_MS ?? Date.now() - monotonicMs());
const nowMs = () => Math.floor(epochMs + monotonicMs());

function record(kind: string, facts: Record<string, unknown> = {}): void {
  const at = nowMs();
  const aheadMs = Date.now() - at;
  const clock = Math.abs(aheadMs) > 1_000 ? { aheadMs } : {};
  writeSync(records, `${JSON.stringify({ kind, at, worker: name, ...clock, ...facts })}\n`);
}

/** The result of an attempt names its fence, so that the journal shows whose result was accepted. */
function signature(ctx: JobContext): { by: string } {
  return { by: `${ctx.jobId}/${ctx.attempt}/${name}` };
}

/** Runs the work of an attempt between its two records. */
async function attempt(ctx: JobContext, handler: string, work: () => Promise<unknown>): Promise<unknown> {
  const facts = { job: ctx.jobId, attempt: ctx.attempt, handler };
  record('start', facts);
  try {
    await work();
  } catch (error) {
    record('end', { ...facts, how: ctx.signal.aborted ? 'stopped' : 'failed' });
    throw error;
  }
  record('effect', facts);
  record('end', { ...facts, how: 'returned' });
  return signature(ctx);
}

const worker = new Worker({
  address,
  name,
  slots: Number(slots),
  signals: true,
  stopTimeoutMs: 5_000,
  logger: { log: () => {} },
  handlers: {
    quick: (ctx) => {
      const facts = { job: ctx.jobId, attempt: ctx.attempt, handler: 'quick' };
      record('start', facts);
      record('end', { ...facts, how: 'returned' });
      return signature(ctx);
    },
    slow: (ctx, { ms }: { ms: number }) => attempt(ctx, 'slow', () => delay(ms, undefined, { signal: ctx.signal })),
    flaky: (ctx, { failures }: { failures: number }) =>
      attempt(ctx, 'flaky', async () => {
        if (ctx.attemptCount < failures) throw new RangeError('not yet');
      }),
    /** Ignores its signal. */
    stubborn: (ctx, { ms }: { ms: number }) => attempt(ctx, 'stubborn', () => delay(ms)),
    /** Kills its process, once. */
    fatal: (ctx, { when }: { when: 'start' | 'end' }) =>
      attempt(ctx, 'fatal', async () => {
        if (when === 'end') await delay(20);
        if (ctx.attempt === 1) process.kill(process.pid, 'SIGKILL');
      }),
  },
  onEvent: (event) => record('event', { event, session: worker.sessionId, stats: worker.stats }),
});

// A gap shows when the process did not run: stopped by a signal, or starved.
let last = nowMs();
const watch = setInterval(() => {
  const now = nowMs();
  if (now - last > 150) record('gap', { from: last });
  last = now;
}, 25);

/** Ends without waiting for its handlers: their attempts are requeued when the session is closed. */
process.on('SIGUSR2', () => void worker.stop({ timeoutMs: 0 }));
record('event', { event: 'process', pid: process.pid });
await worker.run();
clearInterval(watch);
record('event', { event: 'over', stats: worker.stats });
process.exit(0);
