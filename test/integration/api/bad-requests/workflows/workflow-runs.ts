/** Wrong requests about running workflows. */

import { AuditService } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { StepState } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { WorkflowService } from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, type Seed } from '../base/builder.ts';

const { getWorkflow, listWorkflowSteps, skipStep } = WorkflowService.method;
const missing = '0198c0de-0000-7000-8000-000000000001';
const notFound = [Code.NOT_FOUND, 'JOB_NOT_FOUND'] as const;
const task = [Code.FAILED_PRECONDITION, 'NOT_A_WORKFLOW'] as const;

for (const method of [getWorkflow, listWorkflowSteps]) {
  const as = method as typeof getWorkflow;
  const { name } = method;
  for (const jobId of ['', 'x', "' OR 1=1--", '0198c0de'])
    add('B37', `${name}: job ${JSON.stringify(jobId)}`, as, () => ({ jobId }), ['job_id']);
  add('B24', `${name}: namespace No`, as, () => ({ namespace: 'No', jobId: missing }), ['namespace']);
  add('', `${name}: no such job`, as, () => ({ jobId: missing }), [], notFound);
  add('B15', `${name}: a job of another namespace`, as, ({ jobId }) => ({ namespace: 'o', jobId }), [], notFound);
  add('', `${name}: a task that waits`, as, ({ jobId }) => ({ jobId }), [], task);
  add('', `${name}: a task that has ended`, as, ({ endedJobId }) => ({ jobId: endedJobId }), [], task);
}

const list = (row: string, what: string, change: object, ...fields: string[]) =>
  add(row, `ListWorkflowSteps: ${what}`, listWorkflowSteps, ({ jobId }: Seed) => ({ jobId, ...change }), fields);
list('B42', 'page of -1', { pageSize: -1 }, 'page_size');
for (const token of ['x', '!!!', 'LTE', Buffer.from('ListWorkflowSteps/7').toString('base64url')])
  list('B43', `token ${token}`, { pageToken: token }, 'page_token');
for (const state of [StepState.UNSPECIFIED, 7, 99, -1]) list('B12', `state ${state}`, { states: [state] }, 'states');
list('', '65 states', { states: Array(65).fill(StepState.RUNNING) }, 'states');

for (const parentJobId of ['x', '0198c0de', "' OR 1=1--"])
  add('B37', `ListJobs: parent ${parentJobId}`, JobService.method.listJobs, () => ({ filter: { parentJobId } }), [
    'filter.parent_job_id',
  ]);

const skipping = (row: string, what: string, change: object, fields: string[]) =>
  add(row, `SkipStep: ${what}`, skipStep, () => ({ jobId: missing, step: 'a', ...change }), fields);
for (const jobId of ['', 'x', '0198c0de']) skipping('B37', `job ${JSON.stringify(jobId)}`, { jobId }, ['job_id']);
for (const step of ['', 'No', 'a-b', "' OR 1=1--"]) skipping('', `step ${JSON.stringify(step)}`, { step }, ['step']);
skipping('B24', 'namespace No', { namespace: 'No' }, ['namespace']);
skipping('', 'a reason of 1,025 characters', { reason: 'x'.repeat(1_025) }, ['reason']);
skipping('', 'a reason of two lines', { reason: 'x\ny' }, ['reason']);
skipping('', 'a request id that is none', { requestId: 'x' }, ['request_id']);
add('', 'SkipStep: no such job', skipStep, () => ({ jobId: missing, step: 'a' }), [], notFound);
add('', 'SkipStep: a task', skipStep, ({ jobId }: Seed) => ({ jobId, step: 'a' }), [], task);

const { listAuditRecords } = AuditService.method;
const audit = (row: string, what: string, change: object, field: string) =>
  add(row, `ListAuditRecords: ${what}`, listAuditRecords, () => change, [field]);
audit('B24', 'namespace No', { namespace: 'No' }, 'namespace');
audit('B37', 'job x', { jobId: 'x' }, 'job_id');
audit('B42', 'page of -1', { pageSize: -1 }, 'page_size');
for (const token of ['x', '!!!', 'LTE']) audit('B43', `token ${token}`, { pageToken: token }, 'page_token');
