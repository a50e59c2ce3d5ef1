/**
 * A traced worker for the tests of traces. Arguments: address, name, endpoint for spans.
 *
 * Handlers: `quick` works within a span of its own; `flaky` fails the first time; `stuck` prints "stuck" in the worker
 * "lost" and hangs until the process is killed; `slow` prints "slow" and works until it is asked to stop, and `sweep`
 * cleans up.
 */
import { Worker } from '@muster-jobs/sdk';
import { trace } from '@opentelemetry/api';
import { sendSpans } from '../../support/telemetry/otlp-tracing.ts';

const [address = '', name = '', endpoint = ''] = process.argv.slice(2);
const stopTracing = sendSpans(endpoint, 'worker');
const tracer = trace.getTracer('worker');

const worker = new Worker({
  address,
  name,
  signals: true,
  handlers: {
    quick: () => tracer.startActiveSpan('work', (span) => span.end()),
    flaky: (ctx) => {
      if (ctx.attemptCount === 0) throw new RangeError('not yet');
    },
    slow: (ctx) => {
      process.stdout.write('slow\n');
      return new Promise((_, reject) => {
        ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason));
      });
    },
    sweep: () => undefined,
    stuck: async () => {
      if (name !== 'lost') return;
      process.stdout.write('stuck\n');
      await new Promise(() => {});
    },
  },
  onEvent: (event) => {
    if (event === 'ready') process.stdout.write('ready\n');
  },
});

await worker.run();
await stopTracing();
