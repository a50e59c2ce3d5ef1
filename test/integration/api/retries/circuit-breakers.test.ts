/** Circuit breakers as workers and users see them: gated, probed, reopened. */

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CircuitBreakerSchema } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_pb';
import { type CircuitBreakerStatus, CircuitState } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_pb';
import { CircuitBreakerService } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidFromBytes } from '../../../../server/domain/base/uuid.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { outcomes, type TestWorker } from '../base/test-worker.ts';
import { World } from '../base/world.ts';

const { failure, result, released } = outcomes;
const { listCircuitBreakers, closeCircuitBreaker } = CircuitBreakerService.method;
const soon = { nanos: 1_000_000 };
const second = { seconds: 1n };
const hour = { seconds: 3_600n };
type Breaker = MessageInitShape<typeof CircuitBreakerSchema>;

let world: World;
let credits = 1_000;

/** Grants slots, and does not wait for assignments. */
const grant = (worker: TestWorker, slots: number) => worker.beat({ credits: [{ creditId: BigInt(++credits), slots }] });
const idOf = ({ jobId }: Assignment) => uuidFromBytes(jobId);

function define(circuitBreaker: Breaker, changes: object = {}): Promise<string> {
  return world.define({
    retryPolicy: { maxAttempts: 9, minBackoff: soon, maxBackoff: soon },
    circuitBreaker,
    ...changes,
  });
}

async function breakerOf(name: string): Promise<CircuitBreakerStatus> {
  const { circuitBreakers } = await world.rpc.call(listCircuitBreakers, { pageSize: 1_000 });
  const found = circuitBreakers.find((breaker) => breaker.name === name);
  if (!found) throw new Error(`there is no circuit breaker ${name}`);
  return found;
}

const untilState = (name: string, state: CircuitState) =>
  eventually(`the breaker ${name} gets into state ${state}`, async () => {
    const breaker = await breakerOf(name);
    return breaker.state === state && breaker;
  });

/** Jobs of the definition that fail at once, one for each failure. */
async function failJobs(worker: TestWorker, definition: string, ...failures: ReturnType<typeof failure>[]) {
  const jobIds = await Promise.all(failures.map(() => world.submit(definition)));
  const attempts = await worker.take(failures.length);
  const reports = attempts.map((of, i) => ({ of, outcome: failures[i] ?? failure() }));
  expect(await worker.report(...reports)).toEqual(failures.map(() => 'ACCEPTED'));
  return jobIds;
}

/** The assignments of these jobs, in order. */
function assignedOf(worker: TestWorker, jobIds: readonly string[]): Assignment[] {
  return worker.assigned.filter((assignment) => jobIds.includes(idOf(assignment)));
}

/** Proves that the dispatcher has run: a job of another definition is assigned after everything that came before. */
async function proveDispatch(other: string): Promise<void> {
  const worker = await world.openWorker(other);
  await world.submit(other);
  await worker.take(1);
}

describe.each(databaseKinds)('circuit breakers on %s', (kind) => {
  beforeAll(async () => {
    world = await World.startOn(kind);
  });

  afterAll(() => world?.stop());

  it('open after the set number of failures; waiting jobs use no attempt and show the reason', async () => {
    const definition = await define({ failureThreshold: 3, openDuration: hour });
    const worker = await world.openWorker(definition);
    const failed = await failJobs(worker, definition, failure(), failure());
    expect(await breakerOf(definition)).toMatchObject({ state: CircuitState.CLOSED, failureCount: 2 });
    // They are retried meanwhile, because the breaker is closed.
    const [again] = await worker.take(2);
    await worker.report({ of: again as Assignment, outcome: failure() });
    const open = await breakerOf(definition);
    expect(open).toMatchObject({ state: CircuitState.OPEN, failureCount: 3, probeJobId: '' });
    expect(Number(open.probeTime?.seconds) - Number(open.openTime?.seconds)).toBe(3_600);
    const waiting = await Promise.all([1, 2, 3].map(() => world.submit(definition)));
    await grant(worker, 10);
    await proveDispatch(await world.define());
    for (const jobId of waiting) {
      const job = await world.getJob(jobId);
      expect(job).toMatchObject({ state: 3, attempt: 0, attemptCount: 0 });
      expect(job.stateReason).toMatch(
        new RegExp(`^held back: circuit breaker ${definition} is open; a probe is made at \\d{4}-.*Z$`),
      );
    }
    const { jobs } = await world.rpc.call(JobService.method.listJobs, { filter: { definition, states: [3] } });
    expect(
      jobs.filter((job) => job.stateReason.startsWith('held back: circuit breaker')).length,
    ).toBeGreaterThanOrEqual(3);
    expect(assignedOf(worker, waiting)).toEqual([]);
    expect((await world.getJob(failed[0] as string)).attemptCount).toBeLessThanOrEqual(2);
  });

  it('let running jobs continue when they open, and their failures do not prolong the open time', async () => {
    const definition = await define({ failureThreshold: 1, openDuration: hour });
    const worker = await world.openWorker(definition);
    const jobIds = [await world.submit(definition), await world.submit(definition), await world.submit(definition)];
    const [one, two, three] = (await worker.take(3)) as [Assignment, Assignment, Assignment];
    await worker.report({ of: one, outcome: failure() });
    const open = await breakerOf(definition);
    expect(await worker.report({ of: two, outcome: failure() }, { of: three, outcome: result() })).toEqual([
      'ACCEPTED',
      'ACCEPTED',
    ]);
    expect(await breakerOf(definition)).toEqual(open);
    expect(jobIds.map(String)).toContain(idOf(three));
    expect(await world.stateOf(idOf(three))).toBe('SUCCEEDED');
  });

  it('probe with one job when the time has come, and let all jobs continue if it succeeds', async () => {
    const definition = await define({ failureThreshold: 2, openDuration: second });
    const worker = await world.openWorker(definition);
    await failJobs(worker, definition, failure(), failure());
    const before = worker.assigned.length;
    const waiting = await Promise.all(Array.from({ length: 8 }, () => world.submit(definition)));
    await grant(worker, 50);
    const { probeJobId } = await untilState(definition, CircuitState.HALF_OPEN);
    await eventually('the probe arrives', () => worker.assigned.length > before);
    // Longer than one sweep.
    for (let i = 0; i < 3; i++) await proveDispatch(await world.define());
    expect(worker.assigned.slice(before).map(idOf)).toEqual([probeJobId]);
    const probe = worker.assigned[before] as Assignment;
    await worker.report({ of: probe, outcome: result() });
    await untilState(definition, CircuitState.CLOSED);
    await eventually('all others are assigned', () => worker.assigned.length >= before + 10);
    const jobs = await Promise.all(waiting.map((jobId) => world.getJob(jobId)));
    expect(jobs.map((job) => job.attempt)).toEqual(waiting.map(() => 1));
    expect(await breakerOf(definition)).toMatchObject({ failureCount: 0, probeJobId: '' });
  });

  it('open again if the probe fails, and start the next one after the same time', async () => {
    const definition = await define({ failureThreshold: 1, openDuration: second });
    const worker = await world.openWorker(definition);
    await failJobs(worker, definition, failure());
    const first = await breakerOf(definition);
    const [probe] = await worker.take(1);
    await worker.report({ of: probe as Assignment, outcome: failure() });
    const again = await eventually('it opens again', async () => {
      const now = await breakerOf(definition);
      return now.state === CircuitState.OPEN && now.openTime?.seconds !== first.openTime?.seconds && now;
    });
    expect(Number(again.openTime?.seconds)).toBeGreaterThan(Number(first.openTime?.seconds));
    const [next] = await worker.take(1);
    await worker.report({ of: next as Assignment, outcome: result() });
    await untilState(definition, CircuitState.CLOSED);
  });

  it.each<[string, (worker: TestWorker, probe: Assignment) => Promise<unknown>]>([
    ['lost', (worker) => worker.close()],
    ['released', (worker, of) => worker.report({ of, outcome: released() })],
    ['cancelled', (_worker, of) => world.rpc.call(JobService.method.cancelJob, { jobId: idOf(of) })],
    ['failed in another way', (worker, of) => worker.report({ of, outcome: failure({ type: 'NotItsFault' }) })],
  ])('replace a probe that was %s with another one', async (_what, end) => {
    const definition = await define({ failureThreshold: 1, openDuration: second, types: ['Refused'] });
    const worker = await world.openWorker(definition);
    await failJobs(worker, definition, failure({ type: 'Refused' }));
    await world.submit(definition);
    const opened = await breakerOf(definition);
    const [probe] = await worker.take(1);
    const other = await world.openWorker(definition);
    await other.becomeReachable();
    await grant(other, 5);
    await end(worker, probe as Assignment);
    const next = await eventually('another probe arrives', () => other.assigned[0]);
    expect(await breakerOf(definition)).toMatchObject({
      state: CircuitState.HALF_OPEN,
      openTime: opened.openTime,
      probeJobId: idOf(next),
    });
    await other.report({ of: next, outcome: result() });
    await untilState(definition, CircuitState.CLOSED);
  });

  it('are shared by the definitions that give the same name', async () => {
    const name = `shared-${kind.toLowerCase()}`;
    const [one, two] = [
      await define({ name, failureThreshold: 2, openDuration: hour }),
      await define({ name, failureThreshold: 2, openDuration: hour }),
    ];
    const worker = await world.openWorker(one, two);
    await failJobs(worker, one, failure());
    await failJobs(worker, two, failure());
    expect(await breakerOf(name)).toMatchObject({ state: CircuitState.OPEN, failureCount: 2 });
    const waiting = [await world.submit(one), await world.submit(two)];
    await grant(worker, 10);
    await proveDispatch(await world.define());
    expect(assignedOf(worker, waiting)).toEqual([]);
    const { circuitBreaker } = await world.rpc.call(closeCircuitBreaker, { name });
    expect(circuitBreaker).toMatchObject({ name, state: CircuitState.CLOSED, failureCount: 0 });
    await eventually('both are assigned', () => assignedOf(worker, waiting).length === 2);
    // Closing a closed breaker is no error.
    await world.rpc.call(closeCircuitBreaker, { name });
  });

  it('count failures of their types only, and none after a cancel request', async () => {
    const definition = await define({ failureThreshold: 1, types: ['Refused'], openDuration: hour });
    const worker = await world.openWorker(definition);
    await failJobs(worker, definition, failure({ type: 'ValueError' }));
    const jobId = await world.submit(definition);
    const attempts = await worker.take(2);
    const of = attempts.find((attempt) => idOf(attempt) === jobId) as Assignment;
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    await worker.report({ of, outcome: failure({ type: 'Refused' }) });
    expect(await world.stateOf(jobId)).toBe('CANCELLED');
    const { circuitBreakers } = await world.rpc.call(listCircuitBreakers, { pageSize: 1_000 });
    expect(circuitBreakers.map(({ name }) => name)).not.toContain(definition);
    const last = attempts.find((attempt) => idOf(attempt) !== jobId) as Assignment;
    await worker.report({ of: last, outcome: failure({ type: 'Refused' }) });
    expect(await breakerOf(definition)).toMatchObject({ state: CircuitState.OPEN });
  });

  it('count timeouts that the server found', async () => {
    const definition = await define({ failureThreshold: 1, openDuration: hour }, { runTimeout: { nanos: 50_000_000 } });
    const worker = await world.openWorker(definition);
    await world.submit(definition);
    await worker.started(...(await worker.take(1)));
    await eventually('it opens', () => untilState(definition, CircuitState.OPEN).catch(() => false));
  });

  it('stop neither clean-ups nor other definitions', async () => {
    const definition = await define(
      { failureThreshold: 1, openDuration: hour },
      { body: { case: 'task', value: { cleanupHandler: 'tidy' } } },
    );
    const worker = await world.openWorker(definition, 'tidy');
    const jobId = await world.submit(definition);
    const [of] = await worker.take(1);
    await failJobs(worker, definition, failure());
    await world.rpc.call(JobService.method.cancelJob, { jobId });
    await worker.report({ of: of as Assignment, outcome: outcomes.cancelled });
    const [cleanup] = await worker.take(1);
    expect(cleanup?.handler).toBe('tidy');
  });

  it('are part of the definition, with defaults filled in', async () => {
    const name = await define({ failureThreshold: 7 });
    const { definition } = await world.rpc.call(JobDefinitionService.method.getJobDefinition, { name });
    expect(definition?.circuitBreaker).toMatchObject({
      name,
      failureThreshold: 7,
      window: { seconds: 60n },
      openDuration: { seconds: 30n },
      types: [],
    });
  });

  it('are listed by name, page by page', async () => {
    const namespace = 'paged';
    const body = { case: 'task', value: {} } as const;
    const names = ['a', 'b', 'c'].map((letter) => `${letter}-${kind.toLowerCase()}`);
    const offer = { workerName: 'w', protocolVersion: 1, slots: 9, handlers: [{ name: 'one' }] };
    const worker = await world.openWorkerOf({ ...offer, namespace });
    for (const name of names) {
      const circuitBreaker = { name, failureThreshold: 9 };
      const definition = { namespace, name, body: { ...body, value: { handler: 'one' } }, circuitBreaker };
      await world.rpc.call(JobDefinitionService.method.applyJobDefinition, { definition });
      await world.rpc.call(JobService.method.submitJob, { namespace, job: { definition: name } });
    }
    const attempts = await worker.take(3);
    await worker.report(...attempts.map((of) => ({ of, outcome: failure() })));
    const first = await world.rpc.call(listCircuitBreakers, { namespace, pageSize: 2 });
    expect(first.circuitBreakers.map(({ name }) => name)).toEqual(names.slice(0, 2));
    const second = await world.rpc.call(listCircuitBreakers, {
      namespace,
      pageSize: 2,
      pageToken: first.nextPageToken,
    });
    expect(second.circuitBreakers.map(({ name }) => name)).toEqual(names.slice(2));
    expect(second.nextPageToken).toBe('');
    const refusal = await world.rpc.refused(listCircuitBreakers, { pageToken: first.nextPageToken });
    expect(refusal.fields).toEqual(['page_token']);
  });
});
