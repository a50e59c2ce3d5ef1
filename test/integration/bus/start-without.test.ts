/** A replica that starts while its bus is down: it is degraded, runs jobs, and uses the bus once that answers. */
import { type AddressInfo, createServer } from 'node:net';
import { Client, Worker } from '@muster-jobs/sdk';
import { expect, it } from 'vitest';
import { startTestReplica } from '../../support/base/replica.ts';

/** A port that nothing listens on, kept by a server that answers nothing. */
async function deafServer() {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `nats://127.0.0.1:${port}`, stop: () => new Promise((resolve) => server.close(resolve)) };
}

it('a replica starts without its bus, says that it is degraded, and runs jobs', async () => {
  const nats = await deafServer();
  const replica = await startTestReplica({ natsUrls: [nats.url] });
  const client = new Client({ address: replica.grpcAddress });
  const handlers = { answer: () => 42 };
  const worker = new Worker({ address: replica.grpcAddress, name: 'one', handlers, logger: { log: () => {} } });
  const running = worker.run();
  try {
    const ready = await fetch(`${replica.httpAddress}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({ status: 'degraded', database: true, bus: false }),
    ]);
    await client.applyDefinition({ name: 'answer' });
    expect(await client.result(await client.submit('answer'), { timeoutMs: 60_000 })).toBe(42);
  } finally {
    client.close();
    await worker.stop();
    await running;
    await replica.stop();
    await nats.stop();
  }
});
