/** The answers of each replica to clients about ended jobs. */
import { Client, type Job } from '@muster-jobs/sdk';
import type { Reading } from '../checker/evidence.ts';
import type { ReplicaProcess } from './replica-process.ts';

/** Reads each of the jobs at every replica. */
export async function readAtEach(replicas: readonly ReplicaProcess[], jobs: readonly string[]): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const { name, proxy } of replicas) {
    const client = new Client({ address: `127.0.0.1:${proxy.port}` });
    try {
      for (const job of jobs) readings.push(readingOf(name, await client.get(job)));
    } finally {
      client.close();
    }
  }
  return readings;
}

function readingOf(replica: string, { jobId, state, outcome }: Job): Reading {
  const text = outcome.case === 'result' ? Buffer.from(outcome.value.data).toString() : (outcome.value?.message ?? '');
  return { job: jobId, replica, state, text };
}
