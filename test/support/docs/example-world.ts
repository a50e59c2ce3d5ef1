/** Creates the resources that the contract's examples name: definition, jobs, batch, worker, circuit breaker. */
import { create } from '@bufbuild/protobuf';
import { BatchService } from '@muster-jobs/sdk/gen/muster/v1/batch_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { QueueService } from '@muster-jobs/sdk/gen/muster/v1/queue_service_pb';
import { ExhaustionAction } from '@muster-jobs/sdk/gen/muster/v1/retry_policy_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { WaitBodySchema } from '@muster-jobs/sdk/gen/muster/v1/wait_pb';
import { WorkflowBodySchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { WorkflowPhase } from '@muster-jobs/sdk/gen/muster/v1/workflow_run_pb';
import { WorkflowService } from '@muster-jobs/sdk/gen/muster/v1/workflow_service_pb';
import { uuidFromBytes } from '../../../server/domain/base/uuid.ts';
import { Refusal } from '../../integration/api/base/rpc.ts';
import { outcomes } from '../../integration/api/base/test-worker.ts';
import type { World } from '../../integration/api/base/world.ts';
import { eventually } from '../base/eventually.ts';
import { type Actual, placeholders } from './contract.ts';

const {
  definition,
  queue,
  emptyQueue,
  circuitBreaker,
  schedule,
  oldSchedule,
  trigger,
  oldTrigger,
  rolledOut,
  rolledBack,
} = placeholders;
const { applyJobDefinition } = JobDefinitionService.method;
const { getJob, submitJob, waitJob } = JobService.method;

/** Ignores a refusal as not implemented: RPCs that need the resource are then refused too. */
async function ifServed(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof Refusal && error.reason === 'NOT_IMPLEMENTED')) throw error;
  });
}

async function applyDefinition({ rpc }: World): Promise<void> {
  const body = { case: 'task', value: {} } as const;
  await rpc.call(applyJobDefinition, { definition: { name: definition, body, queue } });
}

async function makeEmptyQueue({ rpc }: World): Promise<void> {
  const made = rpc.call(QueueService.method.createQueue, { queue: { name: emptyQueue } });
  await ifServed(made.catch((error) => (error.reason === 'QUEUE_EXISTS' ? undefined : Promise.reject(error))));
}

/** Two schedules that run in the distant future. Some examples delete one of them. */
async function makeSchedules({ rpc }: World): Promise<void> {
  const times = { crons: ['0 3 * * *'], startTime: { seconds: BigInt(Date.UTC(2026, 0, 1) / 1_000) } };
  for (const name of [schedule, oldSchedule])
    await rpc.call(ScheduleService.method.applySchedule, { schedule: { name, times, job: { definition } } });
}

/** Two triggers that nothing meets. Some examples delete one of them. */
async function makeTriggers({ rpc }: World): Promise<void> {
  const on = { case: 'asset', value: { name: 'orders' } } as const;
  const condition = { kind: { case: 'cause', value: { on } } } as const;
  for (const name of [trigger, oldTrigger])
    await rpc.call(TriggerService.method.applyTrigger, { trigger: { name, condition, job: { definition } } });
}

/** Two open roll-outs. Some examples end one of them. */
async function makeRollouts({ rpc }: World): Promise<void> {
  const body = { case: 'task', value: {} } as const;
  const rollout = { steps: [{ percent: 5 }] };
  for (const name of [rolledOut, rolledBack]) {
    await rpc.call(applyJobDefinition, { definition: { name, body } });
    await rpc.call(applyJobDefinition, { definition: { name, body, description: 'faster' }, rollout });
  }
}

/** A workflow of one step. */
async function startWorkflow({ rpc }: World): Promise<string> {
  const value = create(WorkflowBodySchema, { steps: [{ name: 'mail', definition }] });
  const body = { case: 'workflow', value } as const;
  const name = 'mail-once';
  await rpc.call(applyJobDefinition, { definition: { name, body } });
  let workflowJobId: string = placeholders.workflowJobId;
  await ifServed(rpc.call(submitJob, { job: { definition: name } }).then(({ jobId }) => (workflowJobId = jobId)));
  if (workflowJobId !== placeholders.workflowJobId)
    await eventually('the workflow is started', async () => {
      const { workflow } = await rpc.call(WorkflowService.method.getWorkflow, { jobId: workflowJobId });
      return workflow?.phase === WorkflowPhase.WORK;
    });
  return workflowJobId;
}

/** An approval that a person may approve or reject. */
async function startApproval({ rpc }: World): Promise<string> {
  const value = create(WaitBodySchema, { kind: { case: 'approval', value: {} } });
  const name = 'sign-off';
  await rpc.call(applyJobDefinition, { definition: { name, body: { case: 'wait', value } } });
  const { jobId } = await rpc.call(submitJob, { job: { definition: name } });
  await eventually('an approval that waits', async () => {
    const { job } = await rpc.call(getJob, { jobId });
    return job?.state === JobState.WAITING ? job : undefined;
  });
  return jobId;
}

/** A batch with a failed member. */
async function endBatch({ rpc }: World): Promise<string> {
  const { batch } = await rpc.call(BatchService.method.createBatch, {});
  const jobId = batch?.job?.jobId ?? '';
  await rpc.call(submitJob, { job: { definition, expireTime: { seconds: 1n } }, batchJobId: jobId });
  await rpc.call(BatchService.method.sealBatch, { jobId });
  await rpc.call(waitJob, { jobId });
  return jobId;
}

/** A job that waits for a person after its only attempt. */
async function exhaustJob(world: World): Promise<string> {
  const retryPolicy = { maxAttempts: 1, onExhaustion: ExhaustionAction.PAUSE };
  const { worker, jobId, attempt } = await world.hold({ retryPolicy });
  await worker.report({ of: attempt, outcome: outcomes.failure() });
  return jobId;
}

/** A waiting job, an ended one, one that waits for a person, a workflow, batches and an approval. New on each call: some examples change them. */
export async function makeJobs(world: World): Promise<Omit<Actual, 'sessionId'>> {
  await applyDefinition(world);
  await makeEmptyQueue(world);
  await makeSchedules(world);
  await makeTriggers(world);
  await makeRollouts(world);
  const { rpc } = world;
  const { jobId } = await rpc.call(submitJob, { job: { definition, labels: { customer: 'ada' } } });
  const { jobId: endedJobId } = await rpc.call(submitJob, { job: { definition, expireTime: { seconds: 1n } } });
  await rpc.call(waitJob, { jobId: endedJobId });
  const workflowJobId = await startWorkflow(world);
  const { batch } = await rpc.call(BatchService.method.createBatch, {});
  return {
    jobId,
    endedJobId,
    workflowJobId,
    batchId: batch?.job?.jobId ?? '',
    endedBatchId: await endBatch(world),
    approvalJobId: await startApproval(world),
    exhaustedJobId: await exhaustJob(world),
  };
}

/** A circuit breaker exists from the first failure that it counts. */
export async function countFailure(world: World): Promise<void> {
  const { worker, attempt } = await world.hold({ circuitBreaker: { name: circuitBreaker, failureThreshold: 5 } });
  await worker.report({ of: attempt, outcome: outcomes.failure() });
}

/** A worker that accepts none of those jobs. */
export async function openIdleWorker(world: World): Promise<string> {
  return uuidFromBytes((await world.openWorker('something-else')).sessionId);
}
