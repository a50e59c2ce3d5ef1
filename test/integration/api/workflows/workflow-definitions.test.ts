/** Definitions of workflows over gRPC: stored and returned, checked against the definitions of their steps. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { JobDefinitionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { ScheduleService } from '@muster-jobs/sdk/gen/muster/v1/schedule_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../../server/api/base/code.ts';
import { World } from '../base/world.ts';

const { applyJobDefinition, archiveJobDefinition, getJobDefinition, listJobDefinitions } = JobDefinitionService.method;

type Definition = MessageInitShape<typeof JobDefinitionSchema>;

let world: World;

beforeAll(async () => {
  world = await World.start();
});

afterAll(() => world?.stop());

/** One step for each definition, in a chain. */
function body(...definitions: string[]): NonNullable<Definition['body']> {
  const steps = definitions.map((definition, i) => ({
    name: `s${i}`,
    definition,
    needs: i === 0 ? [] : [`s${i - 1}`],
  }));
  return { case: 'workflow', value: { steps } };
}

it('a workflow is returned as it was stored, by itself and in lists, in each version', async () => {
  const task = await world.define();
  const name = await world.define({ body: body(task) });
  await world.rpc.call(applyJobDefinition, { definition: { name, body: body(task, task) } });
  const stepsOf = async (version: number) => {
    const { definition } = await world.rpc.call(getJobDefinition, { name, version });
    return definition?.body.case === 'workflow' && definition.body.value.steps.map((step) => [step.name, step.needs]);
  };
  expect(await stepsOf(1)).toEqual([['s0', []]]);
  expect(await stepsOf(0)).toEqual([
    ['s0', []],
    ['s1', ['s0']],
  ]);
  const { definitions } = await world.rpc.call(listJobDefinitions, { pageSize: 1_000 });
  expect(definitions.find((one) => one.name === name)).toMatchObject({ version: 2, body: { case: 'workflow' } });
});

it('a task can become a workflow and a task again, and the answer explains the effect', async () => {
  const [task, name] = [await world.define(), await world.define()];
  const messagesOf = async (definition: Definition) =>
    (await world.rpc.call(applyJobDefinition, { definition: { name, ...definition } })).issues.map(
      (issue) => issue.message,
    );
  expect(await messagesOf({ body: body(task) })).toEqual([
    'jobs go to no handler any more: the definition is a workflow now',
  ]);
  expect(await messagesOf({ body: body(task), inputJsonSchema: '{"type":"object"}' })).toEqual([
    expect.stringMatching(/^inputs that fit version 2/),
  ]);
  expect(await messagesOf({ body: { case: 'task', value: {} } })).toEqual([
    `jobs go to handler ${name}: the definition was a workflow`,
  ]);
});

describe('the definition of a step', () => {
  it('must exist in the namespace, also for a validation', async () => {
    const task = await world.define();
    for (const validateOnly of [false, true]) {
      const refusal = await world.rpc.refused(applyJobDefinition, {
        definition: { namespace: 'elsewhere', name: 'flow', body: body(task) },
        validateOnly,
      });
      expect(refusal).toMatchObject({ code: Code.NOT_FOUND, reason: 'DEFINITION_NOT_FOUND' });
      expect(refusal.message).toContain(`no job definition ${task}`);
    }
  });

  it('must not be archived, except in a repeat of an earlier call', async () => {
    const [task, name] = [await world.define(), 'flow-of-archived'];
    const request = { requestId: '0198c0de-0000-4000-8000-0000000000b7', definition: { name, body: body(task) } };
    expect(await world.rpc.call(applyJobDefinition, request)).toMatchObject({ created: true });
    await world.rpc.call(archiveJobDefinition, { name: task });
    expect(await world.rpc.call(applyJobDefinition, request)).toMatchObject({
      created: false,
      definition: { version: 1 },
    });
    const { requestId: _, ...anew } = request;
    expect(await world.rpc.refused(applyJobDefinition, anew)).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      reason: 'DEFINITION_ARCHIVED',
    });
    await world.rpc.call(applyJobDefinition, { definition: { name: task, body: { case: 'task', value: {} } } });
    expect(await world.rpc.call(applyJobDefinition, anew)).toMatchObject({ created: false });
  });

  it('must accept the input of its step', async () => {
    const task = await world.define({ inputJsonSchema: '{"type":"object","required":["to"]}' });
    const step = { name: 'a', definition: task, input: '{"too": 1}' };
    const refusal = await world.rpc.refused(applyJobDefinition, {
      definition: { name: 'misfit', body: { case: 'workflow', value: { steps: [step] } } },
    });
    expect(refusal).toMatchObject({ code: Code.INVALID_ARGUMENT, fields: ['definition.workflow.steps[0].input'] });
    expect(refusal.message).toContain(`lacks /to, which the input schema of ${task} requires`);
  });
});

it('a workflow is accepted in jobs and schedules', async () => {
  const definition = await world.define({ body: body(await world.define()) });
  const jobId = await world.submit(definition);
  expect(['READY', 'WAITING']).toContain(await world.stateOf(jobId));
  const schedule = { name: 'of-a-workflow', times: { crons: ['0 0 * * *'] }, job: { definition } };
  expect(await world.rpc.call(ScheduleService.method.applySchedule, { schedule })).toMatchObject({ created: true });
});
