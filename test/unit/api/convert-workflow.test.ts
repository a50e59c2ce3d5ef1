/** Definitions of workflows between the contract and the domain: every field both ways, and refusals. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { JobDefinitionSchema, LeaseLossAction } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { FailureMode, StepRole, TriggerRule } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { describe, expect, it } from 'vitest';
import type { InvalidRequest } from '../../../server/api/base/violations.ts';
import { definitionFrom, definitionHash, definitionTo } from '../../../server/api/definitions/convert-definition.ts';

type Definition = MessageInitShape<typeof JobDefinitionSchema>;
type Body = Extract<NonNullable<Definition['body']>, { case: 'workflow' }>['value'];
type Step = NonNullable<Body['steps']>[number];

const made = (value: Body, more: Definition = {}) =>
  create(JobDefinitionSchema, { name: 'order', body: { case: 'workflow', value }, ...more });

async function refusal(definition: Parameters<typeof definitionFrom>[0]): Promise<[string, string][]> {
  const error: InvalidRequest = await definitionFrom(definition).then(
    () => expect.unreachable('it was taken'),
    (thrown) => thrown,
  );
  expect(error.reason).toBe('INVALID_FIELD');
  return error.violations.map(({ field, description }) => [field, description]);
}

const second = { seconds: 1n };
const full: Step[] = [
  { name: 'first', definition: 'task.one' },
  {
    name: 'each',
    definition: 'task',
    definitionVersion: 3,
    needs: ['first'],
    triggerRule: TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
    condition: 'has(workflow.input.a)',
    input: '{"item": item, "at": index}',
    fanOut: {
      items: 'steps.first.output.items',
      maxParallel: 5,
      maxFailed: 0,
      successPolicy: [{ indexes: '0,3-5', count: 2 }, { count: 7 }, {}],
    },
    overrides: {
      queue: 'mails',
      priority: 0,
      retryPolicy: { maxAttempts: 7 },
      runTimeout: second,
      demands: { labels: { gpu: 'yes' }, resources: { cpu: 2 } },
      expireAfter: second,
      delay: second,
    },
  },
  {
    name: 'again',
    definition: 'task',
    needs: ['first'],
    needsPrefixes: ['ea', 'first'],
    countsItems: true,
    triggerRule: TriggerRule.ALL_DONE,
    loop: { repeatCondition: 'output.more', maxIterations: 10_000 },
    compensation: { definition: 'undo', definitionVersion: 3, input: 'output.id' },
    role: StepRole.NORMAL,
  },
  {
    name: 'known',
    definition: 'task',
    cache: { maxAge: { seconds: 3_600n, nanos: 500_000_000 }, key: 'workflow.input' },
  },
  { name: 'sorry', definition: 'task', role: StepRole.ON_FAILURE },
  { name: 'clean', definition: 'task', role: StepRole.FINALLY, overrides: { priority: -100 } },
];

it('a workflow survives the contract both ways in every field, with defaults filled in and the same content hash', async () => {
  const definition = await definitionFrom(
    made({ steps: full, output: 'steps.again.output', failureMode: FailureMode.RUN_BRANCHES }),
  );
  expect(definition).toMatchObject({
    handler: '',
    retryPolicy: { maxAttempts: 1 },
    workflow: {
      output: 'steps.again.output',
      failureMode: 'RUN_BRANCHES',
      steps: [
        { name: 'first', definition: 'task.one', definitionVersion: 0, needs: [], rule: 'ALL_SUCCESS', role: 'NORMAL' },
        {
          definitionVersion: 3,
          rule: 'NONE_FAILED_MIN_ONE_SUCCESS',
          fanOut: {
            items: 'steps.first.output.items',
            maxParallel: 5,
            maxFailed: 0,
            successPolicy: [
              {
                indexes: [
                  [0, 0],
                  [3, 5],
                ],
                count: 2,
              },
              { count: 7 },
              {},
            ],
          },
          overrides: {
            queue: 'mails',
            priority: 0,
            retryPolicy: { maxAttempts: 7 },
            runTimeoutMs: 1_000,
            demands: { labels: { gpu: 'yes' } },
            expireAfterMs: 1_000,
            delayMs: 1_000,
          },
        },
        {
          needs: ['first'],
          needsPrefixes: ['ea', 'first'],
          countsItems: true,
          loop: { repeatCondition: 'output.more', maxIterations: 10_000 },
        },
        { cache: { maxAgeMs: 3_600_500, key: 'workflow.input' } },
        { role: 'ON_FAILURE' },
        { role: 'FINALLY', overrides: { priority: -100 } },
      ],
    },
  });
  const wire = definitionTo(definition);
  expect(wire.body).toMatchObject({
    case: 'workflow',
    value: { steps: [{ triggerRule: 1, role: 1 }, {}, {}, {}, {}, {}] },
  });
  const again = await definitionFrom(wire);
  expect(again).toEqual(definition);
  expect(definitionHash(again)).toEqual(definitionHash(definition));
});

it('a workflow does not keep empty fields or an empty override', async () => {
  const { workflow } = await definitionFrom(made({ steps: [{ name: 'a', definition: 'task', overrides: {} }] }));
  expect(workflow).toEqual({
    steps: [{ name: 'a', definition: 'task', definitionVersion: 0, needs: [], rule: 'ALL_SUCCESS', role: 'NORMAL' }],
    failureMode: 'FAIL_FAST',
  });
});

it('a task is stored as before workflows existed', async () => {
  const definition = await definitionFrom(
    create(JobDefinitionSchema, { name: 'mail', body: { case: 'task', value: {} } }),
  );
  expect('workflow' in definition).toBe(false);
  expect(definition).toMatchObject({ handler: 'mail', retryPolicy: { maxAttempts: 3 } });
  expect(definitionTo(definition)).toMatchObject({ body: { case: 'task' }, runTimeout: { seconds: 3_600n } });
});

describe('the conversion of a workflow definition', () => {
  const task = { name: 'a', definition: 'task' };
  const [S, F] = ['definition.workflow.steps[0]', 'definition.workflow.steps[0].fan_out'];

  it.each<[string, Step, string, RegExp]>([
    ['a cache without an age', { ...task, cache: {} }, `${S}.cache.max_age`, /is not set; set the maximum age/],
    ['no name', { ...task, name: '' }, `${S}.name`, /1 to 63/],
    ['a name with a dash', { ...task, name: 'a-b' }, `${S}.name`, /1 to 63/],
    ['a long name', { ...task, name: 'a'.repeat(64) }, `${S}.name`, /1 to 63/],
    ['a reserved word of CEL', { ...task, name: 'in' }, `${S}.name`, /can not name/],
    ['no definition', { name: 'a' }, `${S}.definition`, /1 to 63/],
    ['a version below 0', { ...task, definitionVersion: -1 }, `${S}.definition_version`, /is -1/],
    ['an unknown rule', { ...task, triggerRule: 99 as TriggerRule }, `${S}.trigger_rule`, /unknown value 99/],
    ['an unknown role', { ...task, role: -1 as StepRole }, `${S}.role`, /unknown value -1/],
    ['10,001 needs', { ...task, needs: Array(10_001).fill('x') }, `${S}.needs`, /has 10001 entries/],
    ['101 prefixes', { ...task, needsPrefixes: Array(101).fill('x') }, `${S}.needs_prefixes`, /has 101 entries/],
    ['an empty prefix', { ...task, needsPrefixes: [''] }, `${S}.needs_prefixes[0]`, /is empty/],
    [
      'a loop without a condition',
      { ...task, loop: { maxIterations: 1 } },
      `${S}.loop.repeat_condition`,
      /no expression/,
    ],
    [
      'a loop without a pass',
      { ...task, loop: { repeatCondition: 'true' } },
      `${S}.loop.max_iterations`,
      /is 0; must be from 1/,
    ],
    [
      'too many passes',
      { ...task, loop: { repeatCondition: 'true', maxIterations: 10_001 } },
      `${S}.loop.max_iterations`,
      /10001/,
    ],
    ['a fan-out without items', { ...task, fanOut: {} }, `${F}.items`, /no expression/],
    [
      'a negative number of parallel items',
      { ...task, fanOut: { items: '[]', maxParallel: -1 } },
      `${F}.max_parallel`,
      /-1/,
    ],
    ['too many failures', { ...task, fanOut: { items: '[]', maxFailed: 100_001 } }, `${F}.max_failed`, /100001/],
    ['21 rules', { ...task, fanOut: { items: '[]', successPolicy: Array(21).fill({}) } }, `${F}.success_policy`, /21/],
    [
      'indexes out of order',
      { ...task, fanOut: { items: '[]', successPolicy: [{ indexes: '3-1' }] } },
      `${F}.success_policy[0].indexes`,
      /3-1 out of order/,
    ],
    [
      'a count above the number of indexes',
      { ...task, fanOut: { items: '[]', successPolicy: [{}, { indexes: '0-2', count: 4 }] } },
      `${F}.success_policy[1].count`,
      /is 4, but indexes has only 3/,
    ],
    ['a bad queue', { ...task, overrides: { queue: 'No' } }, `${S}.overrides.queue`, /1 to 63/],
    ['a bad priority', { ...task, overrides: { priority: 101 } }, `${S}.overrides.priority`, /101/],
    ['a zero run timeout', { ...task, overrides: { runTimeout: {} } }, `${S}.overrides.run_timeout`, /0 s/],
    ['a zero delay', { ...task, overrides: { delay: {} } }, `${S}.overrides.delay`, /0 s/],
    ['a zero expiry', { ...task, overrides: { expireAfter: {} } }, `${S}.overrides.expire_after`, /0 s/],
    [
      'bad attempts',
      { ...task, overrides: { retryPolicy: { maxAttempts: -1 } } },
      `${S}.overrides.retry_policy.max_attempts`,
      /-1/,
    ],
    ['bad demands', { ...task, overrides: { demands: { required: '(' } } }, `${S}.overrides.demands.required`, /CEL/],
  ])('refuses %s', async (_what, step, field, description) => {
    expect((await refusal(made({ steps: [step] })))[0]).toEqual([field, expect.stringMatching(description)]);
  });

  it('refuses an unknown failure mode, no steps, and too many steps', async () => {
    expect(await refusal(made({ steps: [task], failureMode: 9 as FailureMode }))).toEqual([
      ['definition.workflow.failure_mode', 'has the unknown value 9'],
    ]);
    expect(await refusal(made({}))).toEqual([['definition.workflow.steps', expect.stringMatching(/is empty/)]]);
    const many = Array.from({ length: 10_001 }, (_, i) => ({ name: `s${i}`, definition: 'task' }));
    expect(await refusal(made({ steps: many }))).toEqual([
      ['definition.workflow.steps', 'has 10001 entries; at most 10000 are allowed'],
    ]);
  });

  it.each<[string, Definition]>([
    ['retry_policy', { retryPolicy: { maxAttempts: 2 } }],
    ['retry_policy', { retryPolicy: { rules: [{ action: 3, types: ['A'] }] } }],
    ['retry_budget', { retryBudget: {} }],
    ['circuit_breaker', { circuitBreaker: {} }],
    ['demands', { demands: {} }],
    ['run_timeout', { runTimeout: second }],
    ['progress_timeout', { progressTimeout: second }],
    ['progress_watchdog', { progressWatchdog: { minFraction: 0.5, window: second } }],
    ['cancel_grace', { cancelGrace: second }],
    ['lease_loss_action', { leaseLossAction: LeaseLossAction.ABORT }],
    ['max_concurrency', { maxConcurrency: 1 }],
    ['rate_limit', { rateLimit: { units: 1 } }],
    ['rate_cost', { rateCost: 1 }],
    ['key_limit', { keyLimit: { key: 'input.a', maxConcurrency: 1 } }],
  ])('refuses %s of a workflow', async (field, more) => {
    expect((await refusal(made({ steps: [task] }, more)))[0]).toEqual([
      `definition.${field}`,
      'applies to attempts, and a workflow has none: set it in the definitions of its steps',
    ]);
  });

  it.each<[string, Definition]>([
    ['queue, priority and labels', { queue: 'q', priority: 5, labels: { a: 'b' }, description: 'x' }],
    ['time limits of the whole workflow', { queueTimeout: second, totalTimeout: second, retention: second }],
    ['a rule for submissions', { uniqueness: { byInput: true } }],
    ['one attempt', { retryPolicy: { maxAttempts: 1 } }],
    ['schemas', { inputJsonSchema: '{}', outputJsonSchema: '{}' }],
  ])('accepts %s', async (_what, more) => {
    const definition = await definitionFrom(made({ steps: [task] }, more));
    expect(await definitionFrom(definitionTo(definition))).toEqual(definition);
  });
});
