/** Differences of two messages: exactly the fields that differ, for every kind of field in the contract. */
import { create, type MessageInitShape, toJsonString } from '@bufbuild/protobuf';
import { JobDefinitionSchema, LeaseLossAction } from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import type { WorkflowStepSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldDifferences } from '../../../server/api/base/field-differences.ts';

type Init = MessageInitShape<typeof JobDefinitionSchema>;

function differences(before: Init, after: Init) {
  const [was, is] = [create(JobDefinitionSchema, before), create(JobDefinitionSchema, after)];
  return fieldDifferences(JobDefinitionSchema, was, is, new Set(['version'])).map(
    ({ path, before: old, after: now }) => [path, old, now],
  );
}

function workflow(...steps: MessageInitShape<typeof WorkflowStepSchema>[]): Init {
  return { body: { case: 'workflow', value: { steps } } };
}

describe('the differences of two messages', () => {
  it.each<[string, Init, Init, string[][]]>([
    ['show a text field', { queue: 'a' }, { queue: 'b' }, [['queue', '"a"', '"b"']]],
    ['show a field that was not set', {}, { priority: 3 }, [['priority', '', '3']]],
    ['show a field that is no longer set', { priority: 3 }, {}, [['priority', '3', '']]],
    [
      'show a duration',
      { runTimeout: { seconds: 1n } },
      { runTimeout: { seconds: 2n } },
      [['run_timeout', '"1s"', '"2s"']],
    ],
    [
      'show a field of a nested message',
      { retryPolicy: { maxAttempts: 3 } },
      { retryPolicy: { maxAttempts: 5 } },
      [['retry_policy.max_attempts', '3', '5']],
    ],
    [
      'show a list as a whole',
      { retryPolicy: { nonRetryableTypes: ['A'] } },
      { retryPolicy: { nonRetryableTypes: ['A', 'B'] } },
      [['retry_policy.non_retryable_types', '["A"]', '["A","B"]']],
    ],
    [
      'show entries of a map',
      { labels: { a: '1', b: '2' } },
      { labels: { b: '3', constructor: '4' } },
      [
        ['labels["a"]', '"1"', ''],
        ['labels["b"]', '"2"', '"3"'],
        ['labels["constructor"]', '', '"4"'],
      ],
    ],
    [
      'show an enum',
      {},
      { leaseLossAction: LeaseLossAction.CONTINUE },
      [['lease_loss_action', '', '"LEASE_LOSS_ACTION_CONTINUE"']],
    ],
    [
      'show a changed body',
      { body: { case: 'task', value: { handler: 'a' } } },
      { body: { case: 'workflow', value: { steps: [{ name: 's' }] } } },
      [
        ['task.handler', '"a"', ''],
        ['workflow.steps', '', '[{"name":"s"}]'],
      ],
    ],
    [
      'show steps of a workflow by their names',
      workflow({ name: 'a' }, { name: 'b', needs: ['a'], loop: { repeatCondition: 'x' } }, { name: 'constructor' }),
      workflow({ name: 'b', needs: ['a', 'c'] }, { name: 'a' }, { name: 'c', input: 'item' }),
      [
        ['workflow.steps["b"].needs', '["a"]', '["a","c"]'],
        ['workflow.steps["b"].loop.repeat_condition', '"x"', ''],
        ['workflow.steps["c"]', '', '{"name":"c","input":"item"}'],
        ['workflow.steps["constructor"]', '{"name":"constructor"}', ''],
        ['workflow.steps', '["a","b"]', '["b","a"]'],
      ],
    ],
    ['show a message that is set but empty', {}, { circuitBreaker: {} }, [['circuit_breaker', '', '{}']]],
    [
      'show bytes',
      {},
      { inputProtobufSchema: { fileDescriptorSet: Uint8Array.of(1, 2) } },
      [['input_protobuf_schema.file_descriptor_set', '', '"AQI="']],
    ],
    ['leave out ignored fields', { version: 1 }, { version: 2 }, []],
  ])('%s', (_what, before, after, expected) => {
    expect(differences(before, after)).toEqual(expected);
  });

  const text = fc.constantFrom('', 'a', '__proto__', '"\\');
  const definition = fc
    .record({
      description: text,
      priority: fc.integer({ min: -100, max: 100 }),
      labels: fc.dictionary(fc.constantFrom('a', 'b', 'toString'), text),
      retryPolicy: fc.option(
        fc.record({
          maxAttempts: fc.integer({ min: 0, max: 3 }),
          multiplier: fc.constantFrom(0, 1.5),
          nonRetryableTypes: fc.array(text),
        }),
        { nil: undefined },
      ),
      progressWatchdog: fc.option(fc.constantFrom({}, { minFraction: 0.5 }), { nil: undefined }),
      steps: fc.uniqueArray(
        fc.record({
          name: fc.constantFrom('a', 'b', '__proto__'),
          needs: fc.array(text, { maxLength: 2 }),
          input: text,
        }),
        { selector: ({ name }) => name, maxLength: 3 },
      ),
    })
    .map(({ steps, ...rest }) => ({ ...rest, ...workflow(...steps) })) as fc.Arbitrary<Init>;

  it('are none exactly where the messages are equal, and swap their sides when the messages are swapped', () => {
    fc.assert(
      fc.property(definition, definition, (before, after) => {
        const [was, is] = [before, after].map((init) =>
          toJsonString(JobDefinitionSchema, create(JobDefinitionSchema, init)),
        );
        const found = differences(before, after);
        if (was === is) expect(found).toEqual([]);
        else expect(found.length + Number(sameButForOrder(was, is))).toBeGreaterThan(0);
        expect(differences(after, before)).toEqual(found.map(([path, old, now]) => [path, now, old]));
      }),
    );
  });
});

/** Compares two JSON texts without regard to order, because maps have none. */
function sameButForOrder(a = '', b = ''): boolean {
  return JSON.stringify(sorted(JSON.parse(a))) === JSON.stringify(sorted(JSON.parse(b)));
}

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}
