/**
 * A log followed at one replica while the worker is connected to another: notified over the bus, and complete without
 * it.
 */
import { Client, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';

let deployment: TwoReplicas;
let worker: Worker;
let running: Promise<void>;
let follower: Client;
let resume = () => {};

beforeAll(async () => {
  deployment = await startTwoReplicas({});
  const [here, there] = deployment.replicas;
  follower = new Client({ address: there.grpcAddress });
  worker = new Worker({
    address: here.grpcAddress,
    name: 'far',
    logger: { log() {} },
    handlers: {
      steps: async (ctx, { steps }: { steps: number }) => {
        for (let step = 1; step <= steps; step++) {
          const seen = new Promise<void>((resolve) => {
            resume = resolve;
          });
          ctx.log('info', `step ${step}`);
          await seen;
        }
      },
    },
  });
  running = worker.run();
  await follower.applyDefinition({ name: 'steps' });
});

afterAll(async () => {
  await worker?.stop();
  await running;
  follower?.close();
  await deployment?.stop();
});

it('a followed log shows each record at once, in order, and ends with the job', async () => {
  const steps = 10;
  const job = await follower.submit('steps', { steps });
  const messages: string[] = [];
  const waits: number[] = [];
  let written = performance.now();
  for await (const { message } of follower.logs(job, { follow: true })) {
    waits.push(performance.now() - written);
    messages.push(message);
    written = performance.now();
    resume();
  }
  expect(messages).toEqual(Array.from({ length: steps }, (_, i) => `step ${i + 1}`));
  // Without the hints it would read two seconds after the record before, each time.
  expect(Math.min(...waits.slice(1))).toBeLessThan(1_500);
});
