/** Events of jobs, as a client watches them on a real control plane. */
import type { EventPage } from '@muster-jobs/sdk';
import { Code, JobState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
  await deployment.client.applyDefinition({ name: 'letter' });
});

afterAll(() => deployment?.stop());

/** A cancelled job. */
async function cancelled(): Promise<string> {
  const { jobId } = await deployment.client.submit('letter');
  await deployment.client.cancel(jobId);
  return jobId;
}

async function all(pages: AsyncIterable<EventPage>): Promise<EventPage[]> {
  const found: EventPage[] = [];
  for await (const page of pages) found.push(page);
  return found;
}

const reported = (pages: readonly EventPage[]) =>
  pages.flatMap(({ events }) => events.map(({ jobId, state }) => [jobId, state] as const));

it('watchEvents returns the kept events of a job, and ends', async () => {
  const [jobId] = [await cancelled(), await cancelled()];
  const states = await eventually('both changes arrive', async () => {
    const found = reported(await all(deployment.client.watchEvents({ job: jobId, keptOnly: true })));
    return found.length === 2 && found;
  });
  expect(states).toEqual([
    [jobId, JobState.READY],
    [jobId, JobState.CANCELLED],
  ]);
});

it('watchEvents returns new events of the requested states, and continues after a position', async () => {
  const signal = new AbortController();
  const seen: EventPage[] = [];
  const watching = (async () => {
    const options = { after: 0n, states: [JobState.CANCELLED], signal: signal.signal };
    for await (const page of deployment.client.watchEvents(options)) seen.push(page);
  })();
  const first = await cancelled();
  await eventually('the first arrives', () => reported(seen).some(([jobId]) => jobId === first));
  const { position = 0n } = seen.at(-1) ?? {};
  const second = await cancelled();
  await eventually('the second arrives', () => reported(seen).some(([jobId]) => jobId === second));
  expect(reported(seen).every(([, state]) => state === JobState.CANCELLED)).toBe(true);
  signal.abort();
  await expect(watching).rejects.toMatchObject({ code: Code.CANCELLED });
  const later = reported(await all(deployment.client.watchEvents({ after: position, keptOnly: true })));
  expect(later.map(([jobId]) => jobId)).toContain(second);
  expect(later.map(([jobId]) => jobId)).not.toContain(first);
});

it('watchEvents refuses a position that never existed', async () => {
  const watching = all(deployment.client.watchEvents({ after: 1_000_000n }));
  await expect(watching).rejects.toMatchObject({ code: Code.OUT_OF_RANGE, reason: 'EVENT_POSITION_GONE' });
});
