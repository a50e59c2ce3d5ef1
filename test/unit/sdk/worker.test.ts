/** A worker with its real session thread, run from source, without a control plane. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { WorkerEvent } from '../../../sdk/typescript/src/index.ts';
import { Worker } from '../../../sdk/typescript/src/index.ts';

/** A port without a listener. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('the server had no port');
  return address.port;
}

test('a worker waits for the control plane, and stops on request', async () => {
  const events: WorkerEvent[] = [];
  const worker = new Worker({
    address: `127.0.0.1:${await deadPort()}`,
    name: 'lonely',
    handlers: { add: async (_, input) => ({ sum: input.a + input.b }), old: { run: () => 1, maxVersion: 3 } },
    logger: { log: () => {} },
    onEvent: (event) => events.push(event),
  });
  const finished = worker.run();
  expect(worker.run()).toBe(finished);
  await worker.stop();
  await finished;
  expect(events).toEqual(['draining', 'closed']);
  expect(worker.sessionId).toBeUndefined();
});

test('a worker with slots out of range is refused with a reason', async () => {
  const worker = new Worker({
    address: '127.0.0.1:1',
    name: 'greedy',
    slots: 0,
    handlers: {},
    logger: { log: () => {} },
  });
  await expect(worker.run()).rejects.toThrow('slots must be a whole number from 1 to 10000, not 0');
});
