/** WorkflowService: a workflow's progress and its steps, and manual changes of these. */
import { create } from '@bufbuild/protobuf';
import {
  GetWorkflowResponseSchema,
  ListWorkflowStepsResponseSchema,
  SkipStepResponseSchema,
  type WorkflowService,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { jobIdOf, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { jobNameOf } from '../jobs/job-name.ts';
import { stepRunTo, stepStatesFrom, workflowTo } from './convert-workflow-run.ts';
import { checkSkipped, checkSkipReason } from './skipped-steps.ts';

export function workflowService(replica: Replica): Implementation<typeof WorkflowService> {
  return {
    async getWorkflow(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const jobId = jobIdOf(request.jobId, violations);
      violations.throwIfAny();
      const workflow = await replica.workflowReader.get(namespace, jobId);
      return create(GetWorkflowResponseSchema, { workflow: workflowTo(workflow) });
    },
    async skipStep(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const { step: name, reason } = request;
      checkSkipped(name, 'step', violations);
      checkSkipReason(reason, violations);
      const { namespace, jobId } = jobNameOf(request, violations);
      const key = requestKey('SkipStep', requestId, context.body);
      const step = await replica.stepSkips.skip(namespace, { jobId, name, reason }, key);
      return create(SkipStepResponseSchema, { step: stepRunTo(step) });
    },
    async listWorkflowSteps(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const jobId = jobIdOf(request.jobId, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const states = stepStatesFrom(request.states, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListWorkflowSteps', namespace, jobId, ...states];
      const position = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const query = { afterStep: Number(position ?? -1), states, limit };
      const page = await replica.workflowReader.list(namespace, jobId, query);
      const last = page.hasMore ? page.steps.at(-1) : undefined;
      return create(ListWorkflowStepsResponseSchema, {
        steps: page.steps.map(stepRunTo),
        nextPageToken: last ? pageToken(key, list, String(last.number)) : '',
      });
    },
  };
}
