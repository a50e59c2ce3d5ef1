/** A cancel reaches a running handler over the bus: no heartbeat is due before the end of the test. */
import { join } from 'node:path';
import { Client, JobState } from '@muster-jobs/sdk';
import { CancelStage } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../chaos/harness/child.ts';
import { recordsOf } from '../chaos/harness/records.ts';
import { eventually } from '../support/base/eventually.ts';
import { makeScratchFolder, removeFolder, startTestReplica, type TestReplica } from '../support/base/replica.ts';

const root = new URL('../../', import.meta.url).pathname;
const programs = {
  typescript: [process.execPath, 'test/chaos/workers/worker.ts'],
  python: [join(root, '.tools/venv/bin/python'), 'test/chaos/workers/worker.py'],
} as const;

let replica: TestReplica;
let folder: string;

beforeAll(async () => {
  [replica, folder] = await Promise.all([
    startTestReplica({ beatMs: 600_000, leaseMs: 3_600_000 }),
    makeScratchFolder(),
  ]);
});

afterAll(async () => {
  await replica?.stop();
  if (folder) await removeFolder(folder);
});

describe.each(['typescript', 'python'] as const)('a running handler in %s', (language) => {
  const [command, program] = programs[language];
  const name = `cancelled-${language}`;
  const records = () => recordsOf(folder, name);
  const isReady = () => records().some(({ event, sessionPid }) => event === 'ready' || sessionPid !== undefined);

  it('gets a cancel without a heartbeat', async () => {
    const client = new Client({ address: replica.grpcAddress });
    await client.applyDefinition({ name: 'slow' });
    const worker = new Child({
      name,
      command,
      args: [program, replica.grpcAddress, name, join(folder, name), '2'],
      env: { PYTHONPATH: join(root, 'sdk/python/src') },
    });
    const beatTime = async () => (await client.listWorkers()).workers.find((one) => one.name === name)?.beatTime;
    try {
      await eventually('the worker is ready', isReady, { timeoutMs: 60_000 });
      const job = await client.submit('slow', { ms: 500_000 });
      await eventually('the job runs', () => records().some(({ kind }) => kind === 'start'), { timeoutMs: 60_000 });
      const before = await beatTime();
      await client.cancel(job, 'no longer needed');
      const ended = await client.wait(job);
      expect(ended).toMatchObject({
        state: JobState.CANCELLED,
        stateReason: 'no longer needed',
        cancellation: { stage: CancelStage.STOPPED },
      });
      expect(records().find(({ kind }) => kind === 'end')?.how).toBe('stopped');
      expect(await beatTime()).toEqual(before);
    } finally {
      worker.signal('SIGTERM');
      await worker.ended;
      client.close();
    }
  });
});
