/** Calls for workflows and audit records. */

import type { ListAuditRecordsResponse } from '../gen/muster/v1/audit_service_pb.ts';
import { AuditService } from '../gen/muster/v1/audit_service_pb.ts';
import type { StepState, Workflow, WorkflowStepRun } from '../gen/muster/v1/workflow_run_pb.ts';
import type { ListWorkflowStepsResponse } from '../gen/muster/v1/workflow_service_pb.ts';
import { WorkflowService } from '../gen/muster/v1/workflow_service_pb.ts';
import type { Known } from '../options/known-options.ts';
import type { OpenChannel } from '../transport/channel.ts';
import type { UnaryClient } from '../transport/unary-client.ts';
import { unaryClient } from '../transport/unary-client.ts';
import { newUuid } from '../uuid.ts';
import type { ClientOptions, PageOptions, RequestOptions } from './calls.ts';
import { pageOptions, present } from './calls.ts';
import { TriggerClient } from './triggers/trigger-client.ts';

/** Selects steps. */
export interface StepPageOptions extends PageOptions {
  /** Only steps in these states. Default: all. */
  readonly states?: readonly StepState[];
}

const stepPageOptions: Known<StepPageOptions> = { ...pageOptions, states: true };

/** Selects audit records. */
export interface AuditPageOptions extends PageOptions {
  /** Only actions on this job. Default: all of the namespace. */
  readonly jobId?: string;
}

const auditPageOptions: Known<AuditPageOptions> = { ...pageOptions, jobId: true };

export class WorkflowClient extends TriggerClient {
  readonly #workflows: UnaryClient<(typeof WorkflowService)['method']>;
  readonly #audit: UnaryClient<(typeof AuditService)['method']>;

  constructor(options: ClientOptions, open: OpenChannel) {
    super(options, open);
    this.#workflows = unaryClient(this.calls.channel, WorkflowService);
    this.#audit = unaryClient(this.calls.channel, AuditService);
  }

  /** Reads the progress of a workflow. @throws MusterError NOT_FOUND; FAILED_PRECONDITION (NOT_A_WORKFLOW). */
  async getWorkflow(jobId: string, options: RequestOptions = {}): Promise<Workflow> {
    const request = { namespace: this.calls.namespace, jobId };
    const response = await this.calls.make('getWorkflow', options, (call) =>
      this.#workflows.getWorkflow(request, call),
    );
    return present(response.workflow, 'workflow');
  }

  /**
   * Skips a step manually: a waiting step never starts; of a running one, open jobs are cancelled. `reason` is shown to
   * operators.
   *
   * @throws MusterError NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (NOT_A_WORKFLOW,
   *   STEP_NOT_SKIPPABLE).
   */
  async skipStep(jobId: string, step: string, reason = '', options: RequestOptions = {}): Promise<WorkflowStepRun> {
    const request = { namespace: this.calls.namespace, jobId, step, reason, requestId: newUuid() };
    const response = await this.calls.make('skipStep', options, (call) => this.#workflows.skipStep(request, call));
    return present(response.step, 'step');
  }

  /** Lists a page of manual actions that can't be undone, newest first. */
  async listAuditRecords(page: AuditPageOptions = {}, options: RequestOptions = {}): Promise<ListAuditRecordsResponse> {
    const request = this.calls.page('listAuditRecords', page, auditPageOptions);
    return this.calls.make('listAuditRecords', options, (call) => this.#audit.listAuditRecords(request, call));
  }

  /**
   * Lists a page of the steps of a workflow, in the order of its definition.
   *
   * @throws MusterError NOT_FOUND; FAILED_PRECONDITION (NOT_A_WORKFLOW).
   */
  async listWorkflowSteps(
    jobId: string,
    page: StepPageOptions = {},
    options: RequestOptions = {},
  ): Promise<ListWorkflowStepsResponse> {
    const selected = this.calls.page('listWorkflowSteps', page, stepPageOptions);
    const request = { ...selected, jobId, states: [...(page.states ?? [])] };
    return this.calls.make('listWorkflowSteps', options, (call) => this.#workflows.listWorkflowSteps(request, call));
  }
}
