/** A step of a rolling upgrade. */
import { readlinkSync } from 'node:fs';
import type { ReplicaProcess } from '../harness/replica-process.ts';
import type { Run } from '../harness/run.ts';

/** Ends a replica and starts it from a checkout, while the others serve. */
export async function restartOn(run: Run, replica: ReplicaProcess, checkout: string): Promise<void> {
  await replica.end();
  await run.progress(10);
  replica.checkout = checkout;
  await replica.start();
  const folder = readlinkSync(`/proc/${replica.pid}/cwd`);
  if (folder !== checkout) throw new Error(`${replica.name} runs ${folder} in place of ${checkout}`);
  await run.progress(20);
}
