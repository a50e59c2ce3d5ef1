/**
 * The TypeScript SDK's worker for `muster conformance`: its handlers follow their input; see docs/conformance.md.
 *
 *   MUSTER_ADDRESS=127.0.0.1:7070 node workers/conformance-typescript/worker.ts
 */
import { type JobContext, Worker } from '@muster-jobs/sdk';
import { runScript } from './script.ts';

const { MUSTER_ADDRESS = '127.0.0.1:7070', MUSTER_WORKER_NAME = 'conformance', MUSTER_SLOTS = '10' } = process.env;

const worker = new Worker({
  address: MUSTER_ADDRESS,
  name: MUSTER_WORKER_NAME,
  slots: Number(MUSTER_SLOTS),
  handlers: {
    echo: (ctx: JobContext) => ctx.input,
    script: runScript,
  },
  signals: true,
});

try {
  await worker.run();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
