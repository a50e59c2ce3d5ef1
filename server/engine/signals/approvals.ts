/** Ends jobs that wait for a person's approval. */

import type { Payload } from '../../domain/base/payload.ts';
import { isTerminal, type TerminalState } from '../../domain/jobs/job-state.ts';
import type { End, OpenRun } from '../../domain/jobs/run.ts';
import { type Approval, approvalResult, approvedReason, decideEndWait, rejected } from '../../domain/signals/wait.ts';
import { EngineError } from '../base/errors.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { jobNotFound } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { JobView } from '../ports/jobs.ts';
import type { Schemas } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';

export interface ApprovalsParts {
  readonly store: Pick<Store, 'readJob'>;
  readonly changes: Changes;
  readonly definitions: Definitions;
  readonly schemas: Schemas;
}

/** Each method resolves with the job. Throws JOB_NOT_FOUND, JOB_NOT_AWAITING_APPROVAL or REQUEST_ID_REUSED. */
export class Approvals {
  readonly #parts: ApprovalsParts;

  constructor(parts: ApprovalsParts) {
    this.#parts = parts;
  }

  /** Also throws INVALID_FIELD if the result does not match the definition's output schema. */
  async approve(
    namespace: string,
    jobId: string,
    approval: Approval,
    request: RequestKey | undefined,
  ): Promise<JobView> {
    const result = approvalResult(approval);
    await this.#check(await this.#read(namespace, jobId), result);
    return this.#end(namespace, jobId, request, 'SUCCEEDED', (run) =>
      decideEndWait(run, { state: 'SUCCEEDED', result }, approvedReason(approval)),
    );
  }

  /** After a refused result the job keeps waiting: the person can send another one. */
  async #check({ namespace, definition: name, definitionVersion, state }: JobView, payload: Payload): Promise<void> {
    if (state !== 'WAITING') return;
    const { definitions, schemas } = this.#parts;
    const { outputSchema: schema } = await definitions.get(namespace, name, definitionVersion);
    const [fault] = schema ? await schemas.validate([{ schema, payload }]) : [];
    if (fault !== undefined) throw badResult(name, definitionVersion, fault);
  }

  reject(namespace: string, jobId: string, reason: string, request: RequestKey | undefined): Promise<JobView> {
    return this.#end(namespace, jobId, request, 'FAILED', (run) => decideEndWait(run, rejected(reason)));
  }

  async #read(namespace: string, jobId: string): Promise<JobView> {
    const job = await this.#parts.store.readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    return job;
  }

  async #end(
    namespace: string,
    jobId: string,
    request: RequestKey | undefined,
    state: TerminalState,
    decide: (run: OpenRun) => End | undefined,
  ): Promise<JobView> {
    const selection = { by: 'jobs', namespace, jobIds: [jobId] } as const;
    const applied = await this.#parts.changes.applyOnce(selection, request, (run, _nowUs, { wait }) => {
      const ended = wait?.kind === 'APPROVAL' ? decide(run) : undefined;
      if (!ended) throw notAwaiting(jobId, run.state, wait?.kind === 'APPROVAL');
      return ended;
    });
    const job = await this.#read(namespace, jobId);
    if (!applied.repeated && !(applied.changed && job.state === state)) throw notAwaiting(jobId, job.state, true);
    return job;
  }
}

function notAwaiting(jobId: string, state: JobView['state'], isApproval: boolean): EngineError {
  const why = isTerminal(state)
    ? `has ended ${state} already`
    : isApproval
      ? `is ${state}: it is not its turn yet; a person is asked once it is WAITING`
      : `is ${state} and no job that a person is asked about; its definition has no wait.approval`;
  return new EngineError('JOB_NOT_AWAITING_APPROVAL', `job ${jobId} ${why}`, { metadata: { job_id: jobId, state } });
}

function badResult(definition: string, version: number, fault: string): EngineError {
  const why = `makes a result that does not fit the output schema of ${definition} version ${version}: ${fault}`;
  return new EngineError('INVALID_FIELD', `payload ${why}`, {
    field: 'payload',
    violations: [{ field: 'payload', description: why }],
  });
}
