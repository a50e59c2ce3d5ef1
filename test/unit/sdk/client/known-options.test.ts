/** Unknown options of calls, conditions, definitions and workers are refused before anything is sent. */
import { afterAll, describe, expect, test } from 'vitest';
import {
  allOf,
  anyOf,
  Client,
  Code,
  defineJob,
  type JobContext,
  Worker,
  whenAsset,
  whenJobEnds,
  whenScheduleRuns,
  whenSignal,
} from '../../../../sdk/typescript/src/index.ts';
import { unknownOption } from '../../../../sdk/typescript/src/options/known-options.ts';
import { runHandler } from '../../../../sdk/typescript/src/testing.ts';

/** Nothing listens there: a call that is sent fails with a MusterError. */
const address = '127.0.0.1:1';
const client = new Client({ address, timeoutMs: 1, retry: { maxAttempts: 1 } });
afterAll(() => client.close());

/** Options as plain JavaScript may have them. */
// biome-ignore lint/suspicious/noExplicitAny: the type checker would refuse them.
const js = (options: object): any => options;
const batch = client.batch('0198c0de-0000-7000-8000-000000000001');
const schedule = { name: 's', definition: 'd' };
const trigger = { name: 't', condition: whenSignal('x'), definition: 'd' };

async function all(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** What was called with what, and the begin of the error. */
const calls: readonly (readonly [call: () => unknown, error: string])[] = [
  [
    () => new Client(js({ address, namspace: 'x' })),
    'new Client: unknown option "namspace"; did you mean "namespace"?',
  ],
  [
    () => new Client({ address, retry: js({ attempts: 1 }) }),
    'new Client: retry: unknown option "attempts"; known are',
  ],
  [
    () => client.submit('d', 1, js({ idempotencykey: 'x' })),
    'submit: unknown option "idempotencykey"; did you mean "idempotencyKey"?',
  ],
  [
    () => client.submit('d', 1, js({ request_id: 'x' })),
    'submit: unknown option "request_id"; did you mean "requestId"?',
  ],
  [() => client.submit('d', 1, js({ colour: 'red' })), 'submit: unknown option "colour"; known are batch, definition'],
  [() => client.submit('d', 1, js({ toString: 1 })), 'submit: unknown option "toString"'],
  [
    () => client.submit('d', 1, { retryPolicy: js({ maxAttempt: 1 }) }),
    'submit: retryPolicy: unknown option "maxAttempt"; did you mean "maxAttempts"?',
  ],
  [
    () => client.submit('d', 1, { retryPolicy: { rules: [js({ action: 'FAIL', type: ['X'] })] } }),
    'submit: retryPolicy.rules[0]: unknown option "type"; did you mean "types"?',
  ],
  [
    () => client.submit('d', 1, { retryPolicy: js({ limits: { timeouts: 1 } }) }),
    'submit: retryPolicy.limits: unknown option "timeouts"; did you mean "timeout"?',
  ],
  [
    () => client.submit('d', 1, { retryPolicy: js({ minBackoff: { second: 1n } }) }),
    'submit: retryPolicy.minBackoff: unknown option "second"; did you mean "seconds"?',
  ],
  [
    () => client.submit('d', 1, { softDeadline: js({ after: 1 }) }),
    'submit: softDeadline: unknown option "after"; did you mean "afterMs"?',
  ],
  [() => client.submit('d', 1, { demands: js({ resource: {} }) }), 'submit: demands: unknown option "resource"'],
  [() => client.submit('d', 1, { sticky: js({ job: 'x' }) }), 'submit: sticky: unknown option "job"'],
  [
    () => client.submit('d', 1, { dependsOn: ['x', js({ job: 'x', on: 'ENDED' })] }),
    'submit: dependsOn[1]: unknown option "on"',
  ],
  [
    () => client.submit('d', 1, { dependsOn: [js({ workflow: 'x', stop: 'y' })] }),
    'submit: dependsOn[0]: unknown option "stop"; did you mean "step"?',
  ],
  [() => client.submit('d', 1, { dependsOn: [js({ asset: 'x', after: 1 })] }), 'submit: dependsOn[0]: unknown option'],
  [
    () => client.submitMany([{ definition: 'd' }, js({ definition: 'd', lables: {} })]),
    'submitMany: jobs[1]: unknown option "lables"; did you mean "labels"?',
  ],
  [() => client.submitMany([js({ definiton: 'd' })]), 'submitMany: jobs[0]: unknown option "definiton"; did you mean'],
  [() => client.submitMany([], js({ batchId: 'x' })), 'submitMany: unknown option "batchId"; did you mean "batch"?'],
  [() => batch.submit('d', 1, js({ label: {} })), 'submit: unknown option "label"; did you mean "labels"?'],
  [() => batch.submitMany([], js({ batch: 'x' })), 'submitMany: unknown option "batch"'],
  [() => batch.wait(js({ timeout: 1 })), 'wait: unknown option "timeout"; did you mean "timeoutMs"?'],
  [() => client.createBatch(js({ maxFailures: 1 })), 'createBatch: unknown option "maxFailures"; known are callback'],
  [
    () => client.createBatch({ callback: js({ definition: 'd', que: 'x' }) }),
    'createBatch: callback: unknown option "que"',
  ],
  [() => client.get('x', js({ timeout: 1 })), 'get: unknown option "timeout"; did you mean "timeoutMs"?'],
  [() => client.wait('x', js({ timeout: 1 })), 'wait: unknown option'],
  [() => client.result('x', js({ timeout: 1 })), 'result: unknown option'],
  [() => client.cancel('x', '', js({ grace: 1 })), 'cancel: unknown option "grace"; did you mean "graceMs"?'],
  [() => client.pause('x', '', js({ runing: true })), 'pause: unknown option "runing"; did you mean "running"?'],
  [() => client.update('x', js({ prio: 1 })), 'update: unknown option "prio"; known are expireTime, priority, runTime'],
  [() => client.retry('x', js({ skipStep: [] })), 'retry: unknown option "skipStep"; did you mean "skipSteps"?'],
  [() => client.approve('x', js({ comments: '' })), 'approve: unknown option "comments"; did you mean "comment"?'],
  [() => client.list(js({ state: [] })), 'list: unknown option "state"; did you mean "states"?'],
  [() => client.list({}, js({ pagesize: 1 })), 'list: unknown option "pagesize"; did you mean "pageSize"?'],
  [() => client.cancelJobs(js({ label: {} })), 'cancelJobs: unknown option "label"'],
  [() => client.cancelJobs({}, js({ dryRun: true })), 'cancelJobs: unknown option "dryRun"'],
  [() => client.pauseJobs({}, js({ gracems: 1 })), 'pauseJobs: unknown option "gracems"'],
  [() => client.resumeJobs({}, js({ reason: '' })), 'resumeJobs: unknown option "reason"'],
  [() => client.redrive({}, js({ validateonly: true })), 'redrive: unknown option "validateonly"'],
  [() => all(client.watch('x', js({ timeoutMs: 1 }))), 'watch: unknown option "timeoutMs"'],
  [() => all(client.watchEvents(js({ since: 1n }))), 'watchEvents: unknown option "since"'],
  [() => all(client.logs('x', js({ tail: 1 }))), 'logs: unknown option "tail"'],
  [
    () => client.addDependencies('x', [js({ job: 'x', state: 1 })]),
    'addDependencies: dependencies[0]: unknown option "state"',
  ],
  [() => client.sendSignal('x', js({ keepFor: 1 })), 'sendSignal: unknown option "keepFor"; did you mean "keepForMs"?'],
  [() => client.sendSignal('x', {}, js({ requestId: 'x' })), 'sendSignal: unknown option "requestId"'],
  [() => client.createQueue('q', js({ concurrency: 1 })), 'createQueue: unknown option "concurrency"'],
  [
    () => client.updateQueue('q', { rateLimit: js({ units: 1, periodms: 1 }) }),
    'updateQueue: rateLimit: unknown option "periodms"; did you mean "periodMs"?',
  ],
  [() => client.pauseQueue('q', '', js({ stopTimeouts: true })), 'pauseQueue: unknown option "stopTimeouts"'],
  [() => client.listQueues(js({ limit: 1 })), 'listQueues: unknown option "limit"; known are pageSize, pageToken'],
  [() => client.listDefinitions(js({ archived: true })), 'listDefinitions: unknown option "archived"'],
  [() => client.listWorkflowSteps('x', js({ state: [] })), 'listWorkflowSteps: unknown option "state"'],
  [() => client.listAuditRecords(js({ job: 'x' })), 'listAuditRecords: unknown option "job"'],
  [() => client.listTriggerRuns('t', js({ limit: 1 })), 'listTriggerRuns: unknown option "limit"'],
  [() => client.updateNamespace(js({ retention: 1 })), 'updateNamespace: unknown option "retention"'],
  [() => client.applySchedule(js({ ...schedule, cron: 'x' })), 'applySchedule: unknown option "cron"; did you mean'],
  [
    () => client.applySchedule({ ...schedule, intervals: [js({ everyMs: 1, offset: 1 })] }),
    'applySchedule: intervals[0]: unknown option "offset"; did you mean "offsetMs"?',
  ],
  [
    () => client.checkSchedule({ ...schedule, calendars: [js({ hours: '1' })] }),
    'checkSchedule: calendars[0]: unknown option "hours"; did you mean "hour"?',
  ],
  [() => client.applySchedule({ ...schedule, job: js({ sticky: {} }) }), 'applySchedule: job: unknown option "sticky"'],
  [() => client.previewSchedule(js({ cron: [] })), 'previewSchedule: unknown option "cron"; did you mean "crons"?'],
  [() => client.previewSchedule('s', js({ after: 1 })), 'previewSchedule: unknown option "after"'],
  [() => client.triggerSchedule('s', js({ overlap: 1 })), 'triggerSchedule: unknown option "overlap"'],
  [() => client.applyTrigger(js({ ...trigger, conditions: [] })), 'applyTrigger: unknown option "conditions"'],
  [
    () => client.applyTrigger({ ...trigger, condition: js({ kind: { case: 'cause', value: { one: {} } } }) }),
    'applyTrigger: condition.kind.value: unknown option "one"; did you mean "on"?',
  ],
  [() => client.checkTrigger({ ...trigger, job: js({ label: {} }) }), 'checkTrigger: job: unknown option "label"'],
  [() => client.getRollout('d', js({ versions: 1 })), 'getRollout: unknown option "versions"; did you mean "version"?'],
  [
    () => client.updateRollout('d', { steps: [js({ percent: 1, hold_ms: 1 })] }),
    'updateRollout: steps[0]: unknown option "hold_ms"; did you mean "holdMs"?',
  ],
  [
    () => client.applyDefinition(js({ name: 'd', handler: 'x' })),
    'applyDefinition: unknown option "handler"; known are',
  ],
  [
    () => client.applyDefinition(js({ name: 'd', task: {} })),
    'applyDefinition: unknown option "task"; write body: { case: "task", value: … }',
  ],
  [
    () => client.applyDefinition({ name: 'd', body: js({ case: 'tusk', value: {} }) }),
    'applyDefinition: body.case: unknown option "tusk"; did you mean "task"?',
  ],
  [
    () => client.checkDefinition({ name: 'd', body: js({ case: 'task', value: { handlers: 'x' } }) }),
    'checkDefinition: body.value: unknown option "handlers"; did you mean "handler"?',
  ],
  [
    () =>
      client.applyDefinition({
        name: 'd',
        body: { case: 'workflow', value: { steps: [{ name: 'a' }, js({ name: 'b', need: [] })] } },
      }),
    'applyDefinition: body.value.steps[1]: unknown option "need"',
  ],
  [
    () => client.applyDefinition({ name: 'd', throttle: js({ periods: {} }) }),
    'applyDefinition: throttle: unknown option',
  ],
  [
    () => client.applyDefinition({ name: 'd', keyLimit: js({ keys: 'x' }) }),
    'applyDefinition: keyLimit: unknown option',
  ],
  [
    () => client.applyDefinition({ name: 'd' }, { rollout: { steps: [], labels: {}, ...js({ minJobs: 1 }) } }),
    'applyDefinition: rollout: unknown option "minJobs"',
  ],
  [() => client.applyDefinition({ name: 'd' }, js({ rollOut: {} })), 'applyDefinition: unknown option "rollOut"; did'],
  [() => defineJob(js({ name: 'd', inputs: {} })), 'defineJob: unknown option "inputs"; did you mean "input"?'],
  [() => whenSignal('x', js({ keys: '' })), 'whenSignal: unknown option "keys"; did you mean "key"?'],
  [() => whenAsset('x', js({ filters: '' })), 'whenAsset: unknown option "filters"; did you mean "filter"?'],
  [() => whenJobEnds('x', js({ state: [] })), 'whenJobEnds: unknown option "state"; did you mean "states"?'],
  [() => whenScheduleRuns('x', js({ states: [] })), 'whenScheduleRuns: unknown option "states"'],
  [() => allOf([], js({ within: 1 })), 'allOf: unknown option "within"; did you mean "withinMs"?'],
  [() => anyOf([js({ case: 'x' })]), 'anyOf: conditions[0]: unknown option "case"'],
  [() => new Worker(js({ address, name: 'w', slot: 1 })), 'new Worker: unknown option "slot"; did you mean "slots"?'],
  [
    () => new Worker({ address, name: 'w', definitions: [{ name: 'a' }, js({ name: 'b', que: 'x' })] }),
    'new Worker: definitions[1]: unknown option "que"',
  ],
  [
    () => new Worker({ address, name: 'w', handlers: { add: js({ run: () => 1, minversion: 2 }) } }).run(),
    'handler add: unknown option "minversion"; did you mean "minVersion"?',
  ],
  [() => new Worker({ address, name: 'w' }).stop(js({ timeout: 1 })), 'stop: unknown option "timeout"; did you mean'],
  [() => runHandler(() => 1, 1, js({ attempts: 1 })), 'runHandler: unknown option "attempts"; did you mean "attempt"?'],
];

describe('an unknown option', () => {
  test.each(calls.map(([call, error]) => [error, call] as const))('is refused: %s', async (error, call) => {
    const reason = await (async () => call())().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(reason).toBeInstanceOf(TypeError);
    expect((reason as TypeError).message).toContain(error);
    expect((reason as TypeError).message.indexOf(error)).toBe(0);
  });

  test('of a child fails the handler', async () => {
    const handler = (ctx: JobContext) => ctx.submit('other', 1, js({ idempotencyKey: 'x' }));
    const { failure } = await runHandler(handler, 1, { children: { other: 'open' } });
    expect(failure).toMatchObject({
      type: 'TypeError',
      message: expect.stringContaining('"idempotencyKey"; known are'),
    });
  });
});

describe('a suggestion', () => {
  test.each([
    ['LABELS', 'labels'],
    ['expire-time', 'expireTime'],
    ['lbels', 'labels'],
    ['labelss', 'labels'],
    ['lebals', 'labels'],
    ['labels3x', 'labels'],
    ['lxbxlx', undefined],
    ['x', undefined],
    ['k', undefined],
    ['', undefined],
  ])('for "%s" is %s', (name, meant) => {
    const { message } = unknownOption('submit', name, ['labels', 'expireTime', 'key']);
    const help = meant ? `did you mean "${meant}"?` : 'known are expireTime, key, labels';
    expect(message).toBe(`submit: unknown option "${name}"; ${help}`);
  });
});

describe('known options', () => {
  const sent = expect.objectContaining({ code: expect.toSatisfy((code) => code !== Code.INVALID_ARGUMENT) });

  test.each<[string, () => Promise<unknown>]>([
    ['of a job', () => client.submit('d', 1, { labels: { any: 'x' }, requestId: 'x', batch: 'y', traceparent: '' })],
    ['that are undefined', () => client.submit('d', 1, js({ labels: undefined }))],
    [
      'of a job with messages',
      () => client.submit('d', 1, { demands: { resources: { gpu: 1 }, labels: { zone: 'a' } } }),
    ],
    ['of a message', async () => client.applyDefinition(await message())],
    ['of a definition', () => client.applyDefinition({ name: 'd', labels: { any: 'x' }, runTimeout: { seconds: 1n } })],
    ['of a list', () => client.listTriggerRuns('t', { pageSize: 1, pageToken: 'x' })],
  ])('%s are sent', async (_, call) => {
    await expect(call()).rejects.toEqual(sent);
  });

  async function message() {
    const { definitionMessage } = await import('../../../../sdk/typescript/src/client/definition.ts');
    return definitionMessage({ name: 'd', retryPolicy: { maxAttempts: 2 } }, '');
  }
});
