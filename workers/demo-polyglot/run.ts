/** The client: applies the definitions, submits the workflow, and reports where each step ran. */
import { fileURLToPath } from 'node:url';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { isTerminal, type Job } from '@muster-jobs/sdk';
import { trace } from '@opentelemetry/api';
import { muster } from '../demo/command.ts';
import type { Deployment, Session } from '../demo/deployment.ts';
import type { Language } from './languages.ts';

const DEFINITIONS = fileURLToPath(new URL('air-traffic.yaml', import.meta.url));

export interface Ran {
  readonly step: string;
  readonly jobId: string;
  readonly worker: string;
  /** From the assignment to the end, in milliseconds. */
  readonly tookMs: number;
}

export interface Outcome {
  /** UUID of the workflow's job. */
  readonly jobId: string;
  /** Id of the workflow's trace, in hexadecimal. */
  readonly traceId: string;
  readonly report: string;
  /** The steps that ran, in the order of the definition. */
  readonly ran: readonly Ran[];
}

/** Runs `muster apply`. */
export function applyDefinitions(deployment: Deployment): Promise<string> {
  return muster(deployment, 'apply', '-f', DEFINITIONS);
}

/** Starts a worker for each language. Resolves with their sessions. */
export function startWorkers(deployment: Deployment, languages: readonly Language[]): Promise<Session[]> {
  return Promise.all(languages.map(({ worker }) => deployment.startWorker(worker)));
}

/** Resolves once the workflow has ended. Rejects if it has not succeeded. */
export async function executeWork(deployment: Deployment, languages: readonly Language[]): Promise<Outcome> {
  const { client, signal } = deployment;
  const { jobId, report, traceId } = await submitWork(deployment, languages);
  const { steps } = await client.listWorkflowSteps(jobId, {}, { signal });
  const made = steps.filter((step) => step.jobId !== '');
  const ran = await Promise.all(made.map(async ({ name, jobId }) => ranOf(name, await client.get(jobId, { signal }))));
  return { jobId, report, traceId, ran };
}

/** Runs in a span of the demo, until the end: the submitted jobs belong to its trace. */
function submitWork({ client, signal }: Deployment, languages: readonly Language[]) {
  return trace.getTracer('polyglot-demo').startActiveSpan('ask who flies where', async (span) => {
    try {
      const work = { languages: languages.map(({ id }) => id) };
      const { jobId } = await client.submit('air-traffic', work, { labels: { demo: 'polyglot' }, signal });
      const { report } = (await client.result(jobId, { signal })) as { report: string };
      return { jobId, report, traceId: span.spanContext().traceId };
    } finally {
      span.end();
    }
  });
}

function ranOf(step: string, { jobId, attempts, state }: Job): Ran {
  const last = attempts.at(-1);
  if (!isTerminal(state) || !last?.assignTime || !last.endTime)
    throw new Error(`the job of step ${step} has not ended`);
  return { step, jobId, worker: last.workerName, tookMs: timestampMs(last.endTime) - timestampMs(last.assignTime) };
}
