/** The handlers of the tests in TypeScript; worker.py has the same ones. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from '@muster/sdk';

const worker = new Worker({
  address: process.argv[2] as string,
  name: 'typescript',
  slots: 4,
  signals: true,
  handlers: {
    /** Runs for so long, and asks for more time where it is told to. */
    'typescript-slow': async (ctx, job: { run: number; extend: number }) => {
      if (job.extend > 0) ctx.extendRunTimeout(job.extend);
      await delay(job.run, undefined, { signal: ctx.signal });
      return 'done';
    },
  },
});

await worker.run();
