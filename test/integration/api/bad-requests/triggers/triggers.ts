/** Wrong requests about triggers. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import type { OverlapPolicy } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import type {
  TriggerCauseSchema,
  TriggerConditionSchema,
  TriggerSchema,
} from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, manyLabels, type Seed, tooLarge } from '../base/builder.ts';

const { applyTrigger, getTrigger, listTriggers, deleteTrigger, pauseTrigger, resumeTrigger } = TriggerService.method;
const { listTriggerRuns, explainTrigger } = TriggerService.method;
const notFound = [Code.NOT_FOUND, 'TRIGGER_NOT_FOUND'] as const;

type Trigger = MessageInitShape<typeof TriggerSchema>;
type Condition = Exclude<MessageInitShape<typeof TriggerConditionSchema>, { readonly $typeName: string }>;
type Cause = Exclude<MessageInitShape<typeof TriggerCauseSchema>, { readonly $typeName: string }>;
type AllOf = Extract<Condition['kind'], { case: 'allOf' }>['value'];

const on = { case: 'signal', value: { name: 'paid' } } as const;
const causeOf = (change: Cause = {}): Condition => ({ kind: { case: 'cause', value: { on, ...change } } });
const allOf = (value: AllOf): Condition => ({ kind: { case: 'allOf', value } });
const anyOf = (...conditions: Condition[]): Condition => ({ kind: { case: 'anyOf', value: { conditions } } });
const good = ({ definition }: Seed) => ({ name: 'new', condition: causeOf(), job: { definition } });

function apply(row: string, what: string, change: Trigger | ((seed: Seed) => Trigger), ...fields: string[]): void {
  const request = (seed: Seed) => {
    const changes = typeof change === 'function' ? change(seed) : change;
    return { trigger: { ...good(seed), ...changes } as Trigger };
  };
  add(row, `ApplyTrigger: ${what}`, applyTrigger, request, fields);
}

const condition = (row: string, what: string, wrong: Condition, ...fields: string[]) =>
  apply(row, what, { condition: wrong }, ...fields.map((field) => `trigger.condition${field}`));
const cause = (row: string, what: string, change: Cause, ...fields: string[]) =>
  condition(row, what, causeOf(change), ...fields.map((field) => `.cause${field}`));

// --- conditions
apply('', 'no condition', { condition: undefined } as unknown as Trigger, 'trigger.condition');
condition('', 'a condition without a kind', {}, '');
condition('', 'an empty all_of', allOf({}), '.all_of.conditions');
condition('', 'an empty any_of', anyOf(), '.any_of.conditions');
condition('', 'an all_of with an empty condition', allOf({ conditions: [causeOf(), {}] }), '.all_of.conditions[1]');
condition(
  '',
  'an empty any_of within an all_of',
  allOf({ conditions: [causeOf(), anyOf()] }),
  '.all_of.conditions[1].any_of.conditions',
);
const nested = (depth: number): Condition => (depth === 1 ? causeOf() : anyOf(nested(depth - 1)));
// A path is cut at 128 characters.
const tooDeep = `${'.any_of.conditions[0]'.repeat(6).slice(0, 127 - 'trigger.condition'.length)}…`;
for (const depth of [9, 20]) condition('B72', `nested ${depth} deep`, nested(depth), tooDeep);
const many = (count: number) => Array.from({ length: count }, () => causeOf());
condition('B72', '101 nodes', anyOf(...many(100)), '');
condition('B72', '10,001 nodes', allOf({ conditions: many(10_000) }), '');
condition('B72', '101 nodes in two lists', allOf({ conditions: [anyOf(...many(49)), anyOf(...many(49))] }), '');
for (const [what, within] of [
  ['0', {}],
  ['negative', { seconds: -1n }],
  ['of 0.9 ms', { nanos: 900_000 }],
  ['over ten years', { seconds: 3_660n * 86_400n }],
] as const)
  condition('B59', `within ${what}`, allOf({ conditions: [causeOf()], within }), '.all_of.within');

// --- causes
cause('', 'a cause that names nothing', { on: { case: undefined } }, '');
for (const name of ['', 'Paid', '-paid', 'a'.repeat(64), 'a b', 'a\u0000', '../a'])
  cause('B24', `signal "${name}"`, { on: { case: 'signal', value: { name } } }, '.signal.name');
for (const name of ['', 'Orders', 'a'.repeat(64), 'a.b', 'sys-a']) {
  cause('B24', `asset "${name}"`, { on: { case: 'asset', value: { name } } }, '.asset.name');
  cause('B24', `schedule "${name}"`, { on: { case: 'schedule', value: { name } } }, '.schedule.name');
  cause('B24', `definition "${name}"`, { on: { case: 'job', value: { definition: name } } }, '.job.definition');
}
const states = (row: string, what: string, wrong: JobState[]) =>
  cause(row, what, { on: { case: 'job', value: { definition: 'load', states: wrong } } }, '.job.states');
for (const state of ['BLOCKED', 'READY', 'RUNNING', 'WAITING', 'CANCELLING'] as const)
  states('', `state ${state}`, [JobState.SUCCEEDED, JobState[state]]);
for (const field of ['filter', 'key'] as const) {
  const is = (row: string, what: string, text: string) =>
    cause(row, `${field}: ${what}`, { [field]: text }, `.${field}`);
  is('', 'no CEL', 'cause.');
  is('', 'an unknown name', 'input.x == 1');
  is('', 'a macro', 'cause.payload.all(x, x > 1)');
  is('B28', '1,025 characters', `"${'x'.repeat(1_023)}"`);
  is('B11', 'a NUL', 'a\0b');
}
const keyed = causeOf({ key: 'cause.name' });
condition('', 'causes with a key and without one', allOf({ conditions: [causeOf(), keyed] }), '');
condition('', 'causes with a key and without one, nested', anyOf(keyed, anyOf(causeOf())), '');

// --- the other fields of a trigger
const named = [getTrigger, deleteTrigger, pauseTrigger, resumeTrigger, listTriggerRuns, explainTrigger];
for (const name of ['', 'a'.repeat(64), 'Refresh', '-a', 'a.b', 'a b', '../a', 'con', 'sys-a', 'internal-a']) {
  const what = `name "${name.slice(0, 20)}"`;
  apply('B24', what, { name }, 'trigger.name');
  for (const method of named)
    add('B24', `${method.name}: ${what}`, method as typeof getTrigger, () => ({ name }), ['name']);
}
for (const method of named) {
  const as = method as typeof getTrigger;
  add('B24', `${method.name}: namespace No`, as, () => ({ namespace: 'No', name: 'x' }), ['namespace']);
  add('', `${method.name}: one that is not there`, as, () => ({ name: 'missing' }), [], notFound);
}
for (const method of [deleteTrigger, pauseTrigger, resumeTrigger])
  add('B37', `${method.name}: request id x`, method as typeof deleteTrigger, () => ({ name: 'x', requestId: 'x' }), [
    'request_id',
  ]);
add('', 'ApplyTrigger: no trigger', applyTrigger, () => ({}), ['trigger', 'trigger.job', 'trigger.condition']);
add('B37', 'ApplyTrigger: request id x', applyTrigger, (seed) => ({ trigger: good(seed), requestId: 'x' }), [
  'request_id',
]);
apply('B24', 'namespace No', { namespace: 'No' }, 'trigger.namespace');
apply('B28', 'a description of 1,025 characters', { description: 'd'.repeat(1_025) }, 'trigger.description');
apply('B11', 'a NUL in the description', { description: 'a\0b' }, 'trigger.description');
apply('', 'an etag of 65 characters', { etag: 'e'.repeat(65) }, 'trigger.etag');
for (const policy of [99, -1])
  apply('B12', `overlap policy ${policy}`, { overlapPolicy: policy as OverlapPolicy }, 'trigger.overlap_policy');
for (const [what, expireAfter] of [
  ['0', {}],
  ['999 ms', { nanos: 999_000_000 }],
  ['less than no time', { seconds: -1n }],
  ['over ten years', { seconds: 3_660n * 86_400n }],
  ['two signs', { seconds: 1n, nanos: -1 }],
] as const)
  apply('B18', `expire_after of ${what}`, { expireAfter }, 'trigger.expire_after');

// --- the job
const job = (row: string, what: string, change: object, ...fields: string[]) =>
  apply(
    row,
    what,
    ({ definition }) => ({ job: { definition, ...change } }),
    ...fields.map((one) => `trigger.job.${one}`),
  );
const span = { seconds: 1n };
apply('', 'no job', { job: undefined } as unknown as Trigger, 'trigger.job');
job('', 'a job with an input', { input: { data: Buffer.from('{}') } }, 'input');
job('', 'a job with an empty input', { input: {} }, 'input');
job('B34', 'a job with an input that is too large', { input: { data: tooLarge } }, 'input', 'input.data');
job('', 'a job with a key', { idempotencyKey: 'k' }, 'idempotency_key');
job('', 'a job with a delay', { start: { case: 'delay', value: span } }, 'delay');
job('', 'a job with a run time', { start: { case: 'runTime', value: span } }, 'run_time');
job('', 'a job with an expiry', { expireTime: span }, 'expire_time');
job('', 'a job with a trace', { traceparent: `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01` }, 'traceparent');
job('', 'a job with sticky', { sticky: { jobId: '0198c0de-0000-7000-8000-000000000001' } }, 'sticky');
job('', 'a job with a dependency', { dependsOn: [{ on: { case: 'asset', value: { name: 'orders' } } }] }, 'depends_on');
job(
  '',
  'a job with a time as deadline',
  { softDeadline: { due: { case: 'time', value: span } } },
  'soft_deadline.time',
);
job('B21', 'a job of priority 101', { priority: 101 }, 'priority');
job('B33', 'a job with 64 labels', { labels: Object.fromEntries(Object.entries(manyLabels).slice(0, 64)) }, 'labels');
job('B33', 'a job with a reserved label', { labels: { 'muster/trigger': 'x' } }, 'labels');
job('B24', 'a job of a definition "A"', { definition: 'A' }, 'definition');
add(
  '',
  'ApplyTrigger: a definition that is not there',
  applyTrigger,
  (seed) => ({ trigger: { ...good(seed), job: { definition: 'missing' } } }),
  [],
  [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'],
);
add(
  '',
  'ApplyTrigger: an etag of one that is not there',
  applyTrigger,
  (seed) => ({ trigger: { ...good(seed), etag: '1-x' } }),
  [],
  notFound,
);

// --- pauses and lists
add('B28', 'PauseTrigger: a reason of 257 characters', pauseTrigger, () => ({ name: 'x', reason: 'r'.repeat(257) }), [
  'reason',
]);
add('B11', 'PauseTrigger: a NUL in the reason', pauseTrigger, () => ({ name: 'x', reason: 'a\0b' }), ['reason']);
add('B24', 'ListTriggers: namespace No', listTriggers, () => ({ namespace: 'No' }), ['namespace']);
for (const method of [listTriggers, listTriggerRuns, explainTrigger]) {
  const name = method === listTriggers ? {} : { name: 'x' };
  const as = method as typeof listTriggers;
  add('B42', `${method.name}: page size -1`, as, () => ({ ...name, pageSize: -1 }), ['page_size']);
  add('B43', `${method.name}: an unknown token`, as, () => ({ ...name, pageToken: 'x' }), ['page_token']);
}
