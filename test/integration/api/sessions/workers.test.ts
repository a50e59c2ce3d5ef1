/** The list of workers, and a worker without a bus connection in it. */

import type { Worker } from '@muster-jobs/sdk/gen/muster/v1/worker_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { offerOf, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { openSession } = SessionService.method;
const { listWorkers } = WorkerService.method;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

async function listed(worker: TestWorker): Promise<Worker | undefined> {
  for (let pageToken = ''; ; ) {
    const page = await world.rpc.call(listWorkers, { pageToken, pageSize: 1_000 });
    const found = page.workers.find(({ sessionId }) => sessionId === worker.sessionText);
    pageToken = page.nextPageToken;
    if (found || pageToken === '') return found;
  }
}

describe('a session without a bus connection', () => {
  it('is asked to reconnect, gets nothing, and is listed as deaf', async () => {
    const definition = await world.define();
    const worker = await world.openWorker(definition);
    await worker.becomeReachable();
    await world.submit(definition);
    let answer = await worker.beat({ pingEcho: 1n });
    expect(answer).toMatchObject({ reconnectBus: false, natsUrls: [] });
    for (let i = 0; i < 3; i++) answer = await worker.beat({ pingEcho: 1n });
    expect(answer.reconnectBus).toBe(true);
    // The bus may have moved since the session was opened.
    expect(answer.natsUrls).toEqual(worker.session.natsUrls);
    expect(answer.natsCredentials).toMatchObject({
      jwt: expect.stringMatching(/\w/),
      seed: expect.stringMatching(/^SU/),
    });
    await worker.beat({ pingEcho: 1n, credits: [{ creditId: 1n, slots: 1 }] });
    expect((await listed(worker))?.deaf).toBe(true);
    expect(worker.assigned).toEqual([]);
    await worker.catchUp();
    expect((await worker.beat()).reconnectBus).toBe(false);
    expect(await worker.take(1)).toHaveLength(1);
    expect((await listed(worker))?.deaf).toBe(false);
  });
});

describe('ListWorkers', () => {
  const namespace = 'listed';
  const open = (changes: object = {}) => world.rpc.call(openSession, { ...offerOf('x'), namespace, ...changes });
  const page = (pageSize: number, pageToken = '') => world.rpc.call(listWorkers, { namespace, pageSize, pageToken });

  it('shows each worker as it described itself, with its jobs', async () => {
    const { worker, attempt } = await world.hold();
    expect(await listed(worker)).toMatchObject({
      name: 'test-worker',
      namespace: 'default',
      state: 1,
      slots: 100,
      heldCount: 1,
      handlers: [{ name: attempt.handler }],
      deaf: false,
      draining: false,
    });
    const described = {
      labels: { zone: 'eu' },
      resources: { gpu: 2.5 },
      sdk: { name: 'sdk', version: '1', language: 'c' },
    };
    await open({ ...described, namespace: 'described' });
    const { workers } = await world.rpc.call(listWorkers, { namespace: 'described' });
    expect(workers).toMatchObject([described]);
    await worker.beat({ draining: true });
    expect((await listed(worker))?.draining).toBe(true);
    await worker.close();
    expect(await listed(worker)).toBeUndefined();
  });

  it('pages through all of them, each once, by session id', async () => {
    const opened = [];
    for (let i = 0; i < 7; i++) opened.push(Buffer.from((await open()).sessionId).toString('hex'));
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let token: string | undefined; token !== ''; ) {
      const { workers, nextPageToken } = await page(3, token);
      seen.push(...workers.map(({ sessionId }) => sessionId.replaceAll('-', '')));
      sizes.push(workers.length);
      token = nextPageToken;
    }
    expect(seen).toEqual(opened.sort());
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('B42: returns everything at once if it fits, whatever the page size', async () => {
    for (const size of [7, 0, 1_000, 2 ** 31 - 1]) {
      const { workers, nextPageToken } = await page(size);
      expect([workers.length, nextPageToken]).toEqual([7, '']);
    }
  });

  it('B43: accepts only unchanged page tokens, in their namespace', async () => {
    const { nextPageToken: token } = await page(3);
    const bytes = Buffer.from(token, 'base64url');
    const flipped = Array.from({ length: bytes.length }, (_, at) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy.toString('base64url');
    });
    for (const bad of [token.slice(0, -1), `${token}A`, `${token}!`, ` ${token}`, token.slice(1), ...flipped]) {
      const refusal = await world.rpc.refused(listWorkers, { namespace, pageToken: bad });
      expect([bad, refusal.code, refusal.fields]).toEqual([bad, Code.INVALID_ARGUMENT, ['page_token']]);
    }
    expect((await world.rpc.refused(listWorkers, { namespace: 'default', pageToken: token })).fields).toEqual([
      'page_token',
    ]);
    expect((await page(3, token)).workers).toHaveLength(3);
  });
});
