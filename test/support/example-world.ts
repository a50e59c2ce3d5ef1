/** Brings about what the examples of the contract speak of: the definition, jobs in its queue, a worker, a circuit breaker. */
import { uuidFromBytes } from '../../server/domain/uuid.ts';
import { JobDefinitionService } from '../../server/gen/muster/v1/job_definition_service_pb.ts';
import { JobService } from '../../server/gen/muster/v1/job_service_pb.ts';
import { QueueService } from '../../server/gen/muster/v1/queue_service_pb.ts';
import { ScheduleService } from '../../server/gen/muster/v1/schedule_service_pb.ts';
import { Refusal } from '../integration/api/rpc.ts';
import { outcomes } from '../integration/api/test-worker.ts';
import type { World } from '../integration/api/world.ts';
import { type Actual, placeholders } from './contract.ts';

const { definition, queue, emptyQueue, circuitBreaker, schedule, oldSchedule } = placeholders;
const { applyJobDefinition } = JobDefinitionService.method;
const { submitJob, waitJob } = JobService.method;

/** What of it this release has: the rest is refused as not implemented, and the RPCs that would need it are, too. */
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

/** Two that run in the distant future: some examples delete one of them. */
async function makeSchedules({ rpc }: World): Promise<void> {
  const times = { crons: ['0 3 * * *'], startTime: { seconds: BigInt(Date.UTC(2026, 0, 1) / 1_000) } };
  for (const name of [schedule, oldSchedule])
    await rpc.call(ScheduleService.method.applySchedule, { schedule: { name, times, job: { definition } } });
}

/** A job that waits and one that has ended, new each time: some examples change them. */
export async function makeJobs(world: World): Promise<Pick<Actual, 'jobId' | 'endedJobId'>> {
  await applyDefinition(world);
  await makeEmptyQueue(world);
  await makeSchedules(world);
  const { rpc } = world;
  const { jobId } = await rpc.call(submitJob, { job: { definition, labels: { customer: 'ada' } } });
  const { jobId: endedJobId } = await rpc.call(submitJob, { job: { definition, expireTime: { seconds: 1n } } });
  await rpc.call(waitJob, { jobId: endedJobId });
  return { jobId, endedJobId };
}

/** A circuit breaker is there from the first failure that it counts. */
export async function countFailure(world: World): Promise<void> {
  const { worker, attempt } = await world.hold({ circuitBreaker: { name: circuitBreaker, failureThreshold: 5 } });
  await worker.report({ of: attempt, outcome: outcomes.failure() });
}

/** A worker that takes none of those jobs. */
export async function openIdleWorker(world: World): Promise<string> {
  return uuidFromBytes((await world.openWorker('something-else')).sessionId);
}
