/** The worker of the cancel benchmark: reports when a handler has started and when it is asked to stop. */
import { Worker } from '../../sdk/typescript/src/index.ts';

const [address = ''] = process.argv.slice(2);
const say = (what: string, jobId: string) =>
  process.stdout.write(`${what} ${jobId} ${performance.timeOrigin + performance.now()}\n`);

await new Worker({
  address,
  name: 'cancel-bench',
  slots: 10,
  signals: true,
  handlers: {
    wait: (ctx) =>
      new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => {
          say('stopped', ctx.jobId);
          reject(ctx.signal.reason);
        });
        say('started', ctx.jobId);
      }),
  },
}).run();
