/** The worker process of the benchmark: does nothing, and reports to its parent how many handlers have run. */
import { Worker } from '../../sdk/typescript/src/index.ts';

const [address = '', slots = '1000'] = process.argv.slice(2);
let handled = 0;
let reported = 0;

const worker = new Worker({
  address,
  name: 'bench-worker',
  slots: Number(slots),
  signals: true,
  handlers: {
    nothing: () => {
      handled++;
      return null;
    },
    // Same machine, same clock: the caller subtracts its submission time.
    clock: () => performance.timeOrigin + performance.now(),
  },
  onEvent: (event) => process.send?.({ event }),
});

const timer = setInterval(() => {
  if (handled !== reported) process.send?.({ handled });
  reported = handled;
}, 10);

await worker.run();
clearInterval(timer);
process.disconnect?.();
