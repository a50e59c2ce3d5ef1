/** Follows the overall progress of a workflow. */
import { setTimeout as delay } from 'node:timers/promises';
import { isTerminal, type Job, JobState, MusterError, type Workflow } from '@muster-jobs/sdk/grpc';
import { howFarText } from '../../view/workflow-words.ts';
import type { Connection } from '../connection.ts';

/** Poll interval. */
const POLL_MS = 1_000;

/** Undefined for a job that is not a running workflow. */
export async function runningWorkflow(
  { workflows, namespace }: Pick<Connection, 'workflows' | 'namespace'>,
  { jobId, state, sessionId }: Job,
): Promise<Workflow | undefined> {
  if ((state !== JobState.WAITING && state !== JobState.CANCELLING) || sessionId !== '') return undefined;
  try {
    return (await workflows.getWorkflow({ namespace, jobId })).workflow;
  } catch (error) {
    if (error instanceof MusterError && error.reason === 'NOT_A_WORKFLOW') return undefined;
    throw error;
  }
}

/** Polls a running workflow every second and reports its progress, in addition to following its job. */
export class WorkflowProgress {
  readonly #connection: Connection;
  readonly #report: (workflow: Workflow, text: string) => void;
  readonly #stop = new AbortController();
  #isPolling = false;
  #last = '';

  constructor(connection: Connection, report: (workflow: Workflow, text: string) => void) {
    this.#connection = connection;
    this.#report = report;
  }

  /** Must be called with each change of the job. */
  change(job: Job): void {
    if (isTerminal(job.state)) this.stop();
    if (this.#isPolling || job.state !== JobState.WAITING) return;
    this.#isPolling = true;
    // The caller that follows the job reports problems with the server.
    this.#probe(job).catch(() => {
      this.#isPolling = false;
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #probe(job: Job): Promise<void> {
    const { signal } = this.#stop;
    for (;;) {
      const workflow = await runningWorkflow(this.#connection, job);
      if (!workflow || signal.aborted) return;
      const { progress, estimatedEndTime } = workflow;
      const shown = `${progress} ${estimatedEndTime !== undefined}`;
      if (this.#last !== shown) this.#report(workflow, howFarText(workflow, Date.now()));
      this.#last = shown;
      await delay(POLL_MS, undefined, { signal });
    }
  }
}
