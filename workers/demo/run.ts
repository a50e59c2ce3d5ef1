/** The client: applies the definitions, submits the workflow, and follows it. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isTerminal } from '@muster-jobs/sdk';
import { muster } from './command.ts';
import { BAND_STARTS } from './delay-counts.ts';
import type { Deployment } from './deployment.ts';
import type { Report, Work } from './jobs.ts';
import type { Progress } from './progress.ts';

const DEFINITIONS = fileURLToPath(new URL('flights.yaml', import.meta.url));
/** Interval between polls. */
const POLL_MS = 50;

export const PARTS = 40;

/** Runs `muster apply`. */
export function applyDefinitions(deployment: Deployment): Promise<string> {
  return muster(deployment, 'apply', '-f', DEFINITIONS);
}

/** Resolves with the workflow's job and its result. */
export async function executeWork(
  { client, signal }: Deployment,
  chart: boolean,
  progress: Progress,
): Promise<{ readonly jobId: string; readonly report: Report }> {
  const parts = Array.from({ length: PARTS }, (_, part) => part);
  const work: Work = { parts, band_starts: BAND_STARTS, chart };
  const { jobId } = await client.submit('flight-delays', work, { labels: { demo: 'flights' }, signal });
  for (;;) {
    const workflow = await client.getWorkflow(jobId, { signal });
    const { steps } = await client.listWorkflowSteps(jobId, {}, { signal });
    progress.show(workflow, steps);
    if (workflow.job && isTerminal(workflow.job.state)) break;
    await delay(POLL_MS, undefined, { signal });
  }
  return { jobId, report: (await client.result(jobId, { signal })) as Report };
}
