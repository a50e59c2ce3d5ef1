/** How soon a tenant's only job starts while another tenant has a million waiting in the same queue. */
import { Client } from '../../sdk/typescript/src/index.ts';
import { startDeployment, startWorker } from './deployment.ts';
import { latencyOf } from './measures.ts';

const MANY = 1_000_000;
const SINGLES = 30;

export async function singleAgainstMany(parts: {
  readonly createDatabase: (() => Promise<string>) | undefined;
  readonly note: (name: string, value: unknown) => void;
}): Promise<void> {
  const deployment = await startDeployment(await parts.createDatabase?.());
  const client = new Client({ address: deployment.address });
  await client.applyDefinition({ name: 'clock', fairnessKey: 'input.tenant' });
  await client.applyDefinition({ name: 'nothing', fairnessKey: 'input.tenant' });
  const many = Array.from({ length: 1_000 }, () => ({ definition: 'nothing', input: { tenant: 'many' } }));
  for (let sent = 0; sent < MANY; sent += many.length) await client.submitMany(many);
  const worker = await startWorker(deployment.address, 1_000);
  try {
    await worker.untilHandled(5_000);
    const times: number[] = [];
    for (let i = 0; i < SINGLES; i++) {
      const sent = performance.timeOrigin + performance.now();
      times.push((await client.result<number>(await client.submit('clock', { tenant: 'single' }))) - sent);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const left = MANY - worker.handled();
    if (left <= 0) throw new Error('the many were done before the singles');
    parts.note(`a single job beside ${left} or more, submission to start, ms`, latencyOf(times));
  } finally {
    await worker.stop();
    client.close();
    await deployment.stop();
  }
}
