/** Workers of both SDKs as processes of their own, drained at the other replica: they finish their jobs and end. */
import { join } from 'node:path';
import { Client, JobState } from '@muster-jobs/sdk';
import { SessionState } from '@muster-jobs/sdk/gen/muster/v1/worker_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../chaos/harness/child.ts';
import { recordsOf } from '../chaos/harness/records.ts';
import { eventually } from '../support/base/eventually.ts';
import { makeScratchFolder, removeFolder, type TestReplica } from '../support/base/replica.ts';
import { startTwoReplicas, type TwoReplicas } from '../support/databases/shared-backends.ts';
import { Rpc } from './api/base/rpc.ts';

const root = new URL('../../', import.meta.url).pathname;
const programs = {
  typescript: [process.execPath, 'test/chaos/workers/worker.ts'],
  python: [join(root, '.tools/venv/bin/python'), 'test/chaos/workers/worker.py'],
} as const;

let deployment: TwoReplicas;
let replicas: readonly TestReplica[];
let folder: string;

beforeAll(async () => {
  folder = await makeScratchFolder();
  deployment = await startTwoReplicas({ beatMs: 200, leaseMs: 60_000 });
  replicas = deployment.replicas;
});

afterAll(async () => {
  await deployment?.stop();
  if (folder) await removeFolder(folder);
});

describe.each(['typescript', 'python'] as const)('a worker in %s', (language) => {
  const name = `drained-${language}`;
  const [command, program] = programs[language];
  const started = () => recordsOf(folder, name).filter((record) => record.kind === 'start');

  it('that is drained while it runs a job finishes it, takes no other one, and ends without an error', async () => {
    const [here, there] = replicas as [TestReplica, TestReplica];
    const rpc = new Rpc(here.grpcAddress);
    const client = new Client({ address: there.grpcAddress });
    await client.applyDefinition({ name: 'slow' });
    // It is connected to one replica, and the other one drains it.
    const worker = new Child({
      name,
      command,
      args: [program, there.grpcAddress, name, join(folder, name), '2'],
      env: { PYTHONPATH: join(root, 'sdk/python/src') },
    });
    try {
      const running = await client.submit('slow', { ms: 1_500 });
      await eventually('the job runs', () => started().length === 1, { timeoutMs: 60_000 });
      const { workers } = await rpc.call(WorkerService.method.listWorkers, {});
      const sessionId = workers.find((one) => one.name === name)?.sessionId ?? '';
      const drained = await rpc.call(WorkerService.method.drainWorker, { sessionId });
      expect(drained.worker).toMatchObject({ draining: true, heldCount: 1 });
      const waiting = await client.submitMany([1, 2, 3].map((ms) => ({ definition: 'slow', input: { ms } })));
      expect((await client.wait(running, { timeoutMs: 60_000 })).state).toBe(JobState.SUCCEEDED);
      await eventually('the worker has ended', () => !worker.alive);
      expect(await worker.ended).toBe(0);
      expect(recordsOf(folder, name).at(-1)).toMatchObject({ kind: 'event', event: 'over' });
      expect(started()).toHaveLength(1);
      for (const job of waiting) {
        expect(await client.get(job)).toMatchObject({ state: JobState.READY, attempts: [] });
        await client.cancel(job);
      }
      const after = await rpc.call(WorkerService.method.drainWorker, { sessionId });
      expect(after.worker).toMatchObject({ state: SessionState.CLOSED, draining: true, heldCount: 0 });
    } finally {
      worker.signalGroup('SIGKILL');
      rpc.close();
      client.close();
    }
  });
});
