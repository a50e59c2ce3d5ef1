/** The handlers of the tests in TypeScript; worker.py has the same ones. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@muster-jobs/sdk';

const worker = new Worker({
  address: process.argv[2] as string,
  name: 'typescript',
  slots: 4,
  signals: true,
  handlers: {
    /** Runs that long, and asks for more time if its input says so. */
    'typescript-slow': async (ctx, job: { run: number; extend: number }) => {
      if (job.extend > 0) ctx.extendRunTimeout(job.extend);
      await delay(job.run, undefined, { signal: ctx.signal });
      return 'done';
    },
    /** Fails on its first attempt, and logs the attempt's number. */
    'typescript-chatty': (ctx, job: { lines: number }) => {
      for (let i = 1; i <= job.lines; i++) ctx.log('info', `attempt ${ctx.attempt}, line ${i}`, { i });
      if (ctx.attempt === 1) throw new Error('once more');
      ctx.log('warn', 'ready');
    },
    /** Logs a line and waits for its cancel. */
    'typescript-waiting': async (ctx) => {
      ctx.log('debug', 'waiting');
      await delay(60_000, undefined, { signal: ctx.signal });
    },
  },
});

await worker.run();
