/** Expressions against schemas: what can't fit is told, and nothing else is. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definition.ts';
import { typeProblems } from '../../../../server/domain/workflow/check-types.ts';
import type { Workflow, WorkflowStep } from '../../../../server/domain/workflow/workflow.ts';
import { step, workflow } from './made-workflow.ts';

const json = (schema: object) => ({ kind: 'json', text: JSON.stringify(schema) }) as const;
const string = { type: 'string' };
const number = { type: 'number' };
const integer = { type: 'integer' };
const boolean = { type: 'boolean' };
const closed = (properties: object, required: string[] = []) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

const order = closed({
  customer: closed({ email: string, age: integer }),
  items: { type: 'array' },
  note: string,
  any: true,
});
const receipt = closed({ number: string, cents: integer });

function definition(name: string, inputSchema?: object, outputSchema?: object): JobDefinition {
  return {
    ...definitionDefaults,
    namespace: 'default',
    name,
    version: 1,
    handler: name,
    leaseLossAction: 'ABORT',
    demands: { labels: {} },
    priority: 0,
    description: '',
    labels: {},
    createTimeUs: 0,
    ...(inputSchema ? { inputSchema: json(inputSchema) } : {}),
    ...(outputSchema ? { outputSchema: json(outputSchema) } : {}),
  };
}

interface Schemas {
  readonly input?: object;
  readonly output?: object;
  /** Of what the steps are made from. */
  readonly task?: object;
  readonly taskOutput?: object;
}

function problemsOf(made: Workflow, { input = order, output, task, taskOutput = receipt }: Schemas = {}): string[] {
  const { inputSchema, outputSchema } = definition('w', input, output);
  const problems = typeProblems(
    { workflow: made, inputSchema, outputSchema },
    () => definition('task', task, taskOutput),
    'w',
  );
  let found = problems.next();
  while (!found.done) found = problems.next();
  return found.value.map(({ field, reason }) => `${field} ${reason}`);
}

/** Of the input of the step b, which comes after a. */
const ofInput = (input: string, schemas: Schemas = {}, more: Partial<WorkflowStep> = {}) =>
  problemsOf(workflow([step('a'), step('b', ['a'], { input, ...more })]), schemas);

describe('paths', () => {
  it.each([
    ['workflow.input.custmer', 'by its schema workflow.input has no custmer, did you mean customer?'],
    ['[workflow.input.customer.mail]', 'by its schema workflow.input.customer has no mail'],
    ['workflow.input.note.text', 'by its schema workflow.input.note has no text'],
    ['steps.a.output.total', 'by its schema steps.a.output has no total'],
    ['size(workflow.input.lines) > 0', 'by its schema workflow.input has no lines'],
  ])('%s', (text, problem) => {
    expect(ofInput(text)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    'workflow.input.customer.email',
    'workflow.input.any.thing.deep',
    'workflow.input["custmer"]',
    'has(workflow.input.custmer)',
    'has(workflow.input.custmer) ? workflow.input.custmer.deeper : null',
    'steps.a.output.cents + 1',
    'workflow.labels.team',
  ])('nothing is wrong with %s', (text) => {
    expect(ofInput(text)).toEqual([]);
  });

  it.each<[string, object]>([
    ['open', { type: 'object', properties: { a: string } }],
    ['by pattern', { ...closed({}), patternProperties: { '^cust': string } }],
    ['by reference', { $ref: '#/$defs/x', ...closed({}), $defs: { x: true } }],
    ['any', {}],
  ])('of an input that is %s anything may be named', (_what, input) => {
    expect(ofInput('workflow.input.custmer', { input })).toEqual([]);
  });

  it('a fan-out gives a list', () => {
    const made = (input: string) =>
      workflow([
        step('a', [], { fanOut: { items: 'workflow.input.items' }, input: 'item' }),
        step('b', ['a'], { input }),
      ]);
    expect(problemsOf(made('steps.a.output.cents'))).toEqual([expect.stringContaining('steps.a.output has no cents')]);
    expect(problemsOf(made('steps.a.output[0].anything'))).toEqual([]);
  });
});

describe('inputs', () => {
  const task = closed({ to: string, cents: number, ready: boolean, inner: closed({ n: integer }, ['n']) }, ['to']);

  it.each([
    ['"text"', 'gives string, where the input schema of task wants object'],
    ['workflow.input.note', 'gives string, where the input schema of task wants object'],
    ['{"cents": 1}', 'gives no /to, which the input schema of task requires'],
    ['{"to": 1}', 'gives integer at /to, where the input schema of task wants string'],
    [
      '{"to": "a", "cents": workflow.input.note}',
      'gives string at /cents, where the input schema of task wants number',
    ],
    [
      '{"to": "a", "ready": steps.a.output.cents}',
      'gives integer at /ready, where the input schema of task wants boolean',
    ],
    ['{"to": steps.a.state == "SUCCEEDED"}', 'gives boolean at /to, where the input schema of task wants string'],
    ['{"to": "a", "cc": "b"}', 'gives /cc, for which the input schema of task has no place'],
    ['{"to": "a", "inner": {}}', 'gives no /inner/n, which the input schema of task requires'],
    ['{"to": "a", "inner": {"n": "b"}}', 'gives string at /inner/n, where the input schema of task wants integer'],
  ])('%s', (text, problem) => {
    expect(ofInput(text, { task })).toEqual([`w.steps[1].input ${problem}`]);
  });

  it.each([
    '{"to": workflow.input.note, "cents": steps.a.output.cents, "ready": has(workflow.input.note)}',
    '{"to": string(steps.a.output.cents), "cents": 1.5, "inner": {"n": 1.0}}',
    '{"to": workflow.input.any, "inner": steps.a.output}',
    'workflow.input.any',
    'true ? {"cents": 1} : {}',
    '{workflow.input.note: 1}',
    'steps.a.output',
  ])('nothing is wrong with %s', (text) => {
    expect(ofInput(text, { task })).toEqual([]);
  });

  it.each<[string, object]>([
    ['a choice', { anyOf: [task, string] }],
    ['a reference', { $ref: '#/$defs/x', required: ['to'], $defs: { x: true } }],
    ['several types', { type: ['object', 'string'] }],
    ['anything', {}],
  ])('nothing is wrong where the schema is %s', (_what, schema) => {
    expect(ofInput('"text"', { task: schema })).toEqual([]);
  });

  it('the workflow’s own, passed on', () => {
    const made = workflow([step('a')]);
    expect(problemsOf(made, { input: string, task })).toEqual([
      "w.steps[0].input is left out: the workflow's input gives string, where the input schema of task wants object",
    ]);
    expect(problemsOf(made, { task })).toEqual([]);
  });
});

describe('others', () => {
  it('a condition, a loop and a list are what they must be', () => {
    const found = problemsOf(
      workflow([
        step('a', [], { condition: 'workflow.input.note' }),
        step('b', [], { loop: { while: 'iteration', maxIterations: 2 } }),
        step('c', [], { fanOut: { items: 'workflow.input.customer' } }),
        step('d', [], { condition: 'workflow.input.any', fanOut: { items: 'workflow.input.items' } }),
      ]),
    );
    expect(found).toEqual([
      'w.steps[0].condition gives string, where a condition wants boolean',
      'w.steps[1].loop.while gives integer, where a while wants boolean',
      'w.steps[2].fan_out.items gives object, where a fan-out wants array',
    ]);
  });

  it('the output is held against the workflow’s schema', () => {
    const made = workflow([step('a')], { output: '{"total": steps.a.output.number}' });
    expect(problemsOf(made, { output: closed({ total: integer }, ['total']) })).toEqual([
      "w.output gives string at /total, where the workflow's output schema wants integer",
    ]);
  });
});
