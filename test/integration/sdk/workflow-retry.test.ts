/** The retry of a failed workflow: succeeded steps are taken over, and the rest runs. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Client, type JobFailedError, Worker } from '@muster-jobs/sdk';
import { StepRole, TriggerRule, type WorkflowStepSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';

type StepInit = Exclude<MessageInitShape<typeof WorkflowStepSchema>, { $typeName: string }>;

let replica: TestReplica;
let client: Client;
let worker: Worker;
let running: Promise<void>;
const ran: string[] = [];
let broken = true;

const handlers = {
  make: (_ctx: unknown, { name }: { name: string }) => {
    ran.push(`make ${name}`);
    return name.toUpperCase();
  },
  each: (_ctx: unknown, { item }: { item: number }) => {
    ran.push(`each ${item}`);
    return item * 10;
  },
  join: (_ctx: unknown, input: unknown) => {
    ran.push('join');
    if (broken) throw new Error('not yet');
    return input;
  },
};

beforeAll(async () => {
  replica = await startTestReplica();
  client = new Client({ address: replica.grpcAddress });
  worker = new Worker({ address: replica.grpcAddress, name: 'retried', handlers });
  running = worker.run();
  for (const name of ['make', 'each']) await client.applyDefinition({ name });
  await client.applyDefinition({ name: 'join', retryPolicy: { maxAttempts: 1 } });
  const steps: StepInit[] = [
    { name: 'make', definition: 'make', input: '{"name": "a"}' },
    { name: 'each', definition: 'each', needs: ['make'], fanOut: { items: '[1, 2, 3]' }, input: '{"item": item}' },
    { name: 'skipped', definition: 'make', needs: ['make'], condition: 'false' },
    {
      name: 'join',
      definition: 'join',
      needs: ['make', 'each', 'skipped'],
      triggerRule: TriggerRule.NONE_FAILED,
      input: '{"made": steps.make.output, "each": steps.each.output, "skipped": has(steps.skipped.output)}',
    },
    { name: 'tidy', definition: 'make', role: StepRole.FINALLY, input: '{"name": "tidy"}' },
  ];
  await client.applyDefinition({
    name: 'flow',
    body: { case: 'workflow', value: { steps, output: 'steps.join.output' } },
  });
});

afterAll(async () => {
  await worker?.stop();
  await running;
  client?.close();
  await replica?.stop();
});

/** The error with which `client.result` rejects. */
const failureOf = (job: Parameters<Client['result']>[0]) =>
  client.result(job).then(
    () => expect.fail('it succeeded'),
    (error: JobFailedError) => error,
  );

it('the retry of a workflow takes over succeeded steps, and decides skipped ones anew', async () => {
  const first = await client.submit('flow', {});
  const failure = await failureOf(first);
  expect(failure.message).toContain('step "join": not yet');
  expect(ran.splice(0).sort()).toEqual(['each 1', 'each 2', 'each 3', 'join', 'make a', 'make tidy']);

  const second = await client.retry(first.jobId);
  await failureOf(second);
  expect(ran.splice(0).sort()).toEqual(['join', 'make tidy']);

  broken = false;
  const third = await client.retry(second.jobId);
  expect(await client.result(third)).toEqual({ made: 'A', each: [10, 20, 30], skipped: false });
  expect(ran.splice(0).sort()).toEqual(['join', 'make tidy']);
});

it('the retry of a succeeded workflow runs all of it', async () => {
  broken = false;
  const first = await client.submit('flow', {});
  await client.result(first);
  ran.splice(0);
  await client.result(await client.retry(first.jobId));
  expect(ran.splice(0).sort()).toEqual(['each 1', 'each 2', 'each 3', 'join', 'make a', 'make tidy']);
});
