/** Expressions checked against schemas: every mismatch that is certain is reported, and nothing else. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import { typeProblems } from '../../../../server/domain/workflows/checks/check-types.ts';
import type { Workflow, WorkflowStep } from '../../../../server/domain/workflows/workflow.ts';
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
/** An open object schema. */
const object = (properties: object, required: string[] = []) => ({ type: 'object', properties, required });

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
  /** Schema of the definition of the steps. */
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

/** A step whose input may be anything. */
const passing = (name: string) => step(name, [], { input: 'workflow.input.any' });

/** Problems in the input of step b, which comes after a. */
const ofInput = (input: string, schemas: Schemas = {}, more: Partial<WorkflowStep> = {}) =>
  problemsOf(workflow([passing('a'), step('b', ['a'], { input, ...more })]), schemas);

describe('the check of a path', () => {
  it.each([
    ['workflow.input.custmer', 'by its schema workflow.input has no custmer, did you mean customer?'],
    ['[workflow.input.customer.mail]', 'by its schema workflow.input.customer has no mail'],
    ['workflow.input.note.text', 'by its schema workflow.input.note has no text'],
    ['steps.a.output.total', 'by its schema steps.a.output has no total'],
    ['size(workflow.input.lines) > 0', 'by its schema workflow.input has no lines'],
  ])('reports %s', (text, problem) => {
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
  ])('accepts %s', (text) => {
    expect(ofInput(text)).toEqual([]);
  });

  it.each<[string, object]>([
    ['open', { type: 'object', properties: { a: string } }],
    ['by pattern', { ...closed({}), patternProperties: { '^cust': string } }],
    ['by reference', { $ref: '#/$defs/x', ...closed({}), $defs: { x: true } }],
    ['any', {}],
  ])('accepts any name in an input that is %s', (_what, input) => {
    expect(ofInput('workflow.input.custmer', { input })).toEqual([]);
  });

  it('gives the output of a fan-out the type of a list', () => {
    const made = (input: string) =>
      workflow([
        step('a', [], { fanOut: { items: 'workflow.input.items' }, input: 'item' }),
        step('b', ['a'], { input }),
      ]);
    expect(problemsOf(made('steps.a.output.cents'))).toEqual([expect.stringContaining('steps.a.output has no cents')]);
    expect(problemsOf(made('steps.a.output[0].anything'))).toEqual([]);
  });
});

describe('the check of an input', () => {
  const task = closed({ to: string, cents: number, ready: boolean, inner: closed({ n: integer }, ['n']) }, ['to']);

  it.each([
    ['"text"', 'gives string, where the input schema of task wants object'],
    ['workflow.input.note', 'gives string, where the input schema of task wants object'],
    ['{"cents": 1}', 'lacks /to, which the input schema of task requires'],
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
    ['{"to": "a", "inner": {}}', 'lacks /inner/n, which the input schema of task requires'],
    ['{"to": "a", "inner": {"n": "b"}}', 'gives string at /inner/n, where the input schema of task wants integer'],
  ])('reports %s', (text, problem) => {
    expect(ofInput(text, { task })).toEqual([`w.steps[1].input ${problem}`]);
  });

  it.each([
    '{"to": workflow.input.note, "cents": steps.a.output.cents, "ready": has(workflow.input.note)}',
    '{"to": string(steps.a.output.cents), "cents": 1.5, "inner": {"n": 1.0}}',
    '{"to": workflow.input.any, "inner": workflow.input.any}',
    'workflow.input.any',
    'true ? {"cents": 1} : {}',
    '{workflow.input.note: 1}',
  ])('accepts %s', (text) => {
    expect(ofInput(text, { task })).toEqual([]);
  });

  it.each<[string, object]>([
    ['a choice', { anyOf: [task, string] }],
    ['a reference', { $ref: '#/$defs/x', required: ['to'], $defs: { x: true } }],
    ['several types', { type: ['object', 'string'] }],
    ['anything', {}],
  ])('accepts any value when the schema is %s', (_what, schema) => {
    expect(ofInput('"text"', { task: schema })).toEqual([]);
  });

  it('accepts the input of the workflow, passed on', () => {
    const made = workflow([step('a')]);
    expect(problemsOf(made, { input: string, task })).toEqual([
      "w.steps[0].input is left out: the workflow's input gives string, where the input schema of task wants object",
    ]);
    expect(problemsOf(made, { input: {}, task })).toEqual([]);
    expect(problemsOf(made, { input: order, task })).toEqual([
      "w.steps[0].input is left out: the workflow's input does not fit the input schema of task: workflow.input has no to, input requires it",
    ]);
  });

  it('checks an output that is passed to a compensation', () => {
    const made = workflow([{ ...passing('a'), compensation: { definition: 'undo', definitionVersion: 0 } }]);
    expect(
      problemsOf(made, { task: closed({ number: integer }, ['number']), taskOutput: object({ number: string }) }),
    ).toEqual([
      "w.steps[0].compensation.input is left out: the step's output does not fit the input schema of undo: output.number is string, input.number takes integer",
    ]);
  });
});

describe('the check of a value that is passed on whole', () => {
  const inner = (n: object, list: string[] = [], item: string[] = []) =>
    object({ list: { type: 'array', items: object({ n }, item) } }, list);

  it.each<[string, object, object, string]>([
    [
      'steps.a.output',
      object({ n: string }),
      object({ n: integer }, ['n']),
      'steps.a.output.n is string, input.n takes integer',
    ],
    [
      'steps.a.output',
      object({ n: string }, ['n']),
      object({ n: integer }),
      'steps.a.output.n is string, input.n takes integer',
    ],
    [
      '{"in": steps.a.output}',
      object({ n: string }),
      object({ in: object({ n: integer }, ['n']) }),
      'steps.a.output.n is string, input.in.n takes integer',
    ],
    [
      '[steps.a.output]',
      object({ n: string }),
      { type: 'array', items: object({ n: integer }, ['n']) },
      'steps.a.output.n is string, input.0.n takes integer',
    ],
    [
      'steps.a.output.o',
      object({ o: object({ p: inner(string) }) }),
      object({ p: inner(integer, ['list'], ['n']) }, ['p']),
      'steps.a.output.o.p.list[].n is string, input.p.list[].n takes integer',
    ],
    ['steps.a.output', closed({}), object({ n: true }, ['n']), 'steps.a.output has no n, input requires it'],
    [
      'steps.a.output',
      object({ n: true }, ['n']),
      closed({ m: true }),
      'steps.a.output always has n, input has no place for it',
    ],
    [
      'steps.a.output',
      object({ n: { type: ['string', 'null'] } }),
      object({ n: { type: ['integer', 'boolean'] } }, ['n']),
      'steps.a.output.n is string or null, input.n takes integer or boolean',
    ],
    [
      'workflow.labels',
      {},
      object({ team: integer }, ['team']),
      'workflow.labels.team is string, input.team takes integer',
    ],
  ])('reports %s of %j where %j is required', (text, taskOutput, task, problem) => {
    expect(ofInput(text, { taskOutput, task })).toEqual([
      `w.steps[1].input does not fit the input schema of task: ${problem}`,
    ]);
  });

  it.each<[string, object, object]>([
    ['an optional property', object({ n: string }), object({ n: integer })],
    ['a property that fits', object({ n: integer }, ['n']), object({ n: number }, ['n'])],
    ['a number that may be whole', object({ n: number }, ['n']), object({ n: integer }, ['n'])],
    ['a property of several types', object({ n: { type: ['string', 'integer'] } }), object({ n: integer }, ['n'])],
    [
      'a value that may be null',
      { type: ['object', 'null'], properties: { n: string } },
      { type: ['object', 'null'], properties: { n: integer }, required: ['n'] },
    ],
    ['a reference', object({ n: { $ref: '#/$defs/x' } }), object({ n: integer }, ['n'])],
    ['a choice', object({ n: { anyOf: [string, integer] } }), object({ n: integer }, ['n'])],
    ['no type', object({ n: {} }), object({ n: integer }, ['n'])],
    ['a property that the schema does not name', object({}), object({ n: integer }, ['n'])],
    ['a property by pattern', { ...closed({}), patternProperties: { n: string } }, object({ n: integer }, ['n'])],
    [
      'items with a schema each',
      object({ n: { type: 'array', prefixItems: [string], items: integer } }),
      object({ n: { type: 'array', items: string } }, ['n']),
    ],
    [
      'items with a schema each in the form of older drafts',
      object({ n: { type: 'array', items: [string] } }),
      object({ n: { type: 'array', items: integer } }, ['n']),
    ],
    [
      'a list or a text',
      object({ n: { type: ['array', 'string'], items: string } }),
      object({ n: { type: ['array', 'string'], items: integer } }, ['n']),
    ],
    ['an optional property that a closed object does not have', object({ n: string }), closed({})],
  ])('accepts %s', (_what, taskOutput, task) => {
    expect(ofInput('steps.a.output', { taskOutput, task })).toEqual([]);
  });

  it('accepts schemas of the maximum depth', () => {
    const deep = (last: object) => Array.from({ length: 1_000 }).reduce<object>((n) => object({ n }, ['n']), last);
    expect(ofInput('steps.a.output', { taskOutput: deep(string), task: deep(integer) })).toEqual([]);
  });
});

describe('the check of a fan-out', () => {
  const made = (items: string, input: string, next: string) =>
    workflow([passing('a'), step('b', ['a'], { fanOut: { items }, input }), step('c', ['b'], { input: next })]);
  const lines = {
    ...order,
    properties: { ...order.properties, lines: { type: 'array', items: closed({ n: string }) } },
  };
  const schemas = {
    input: lines,
    task: object({ n: integer }),
    taskOutput: object({ list: { type: 'array', items: string } }),
  };

  it('gives an item the schema of the items', () => {
    expect(problemsOf(made('workflow.input.lines', '{"n": item.n, "m": item.m}', '{}'), schemas)).toEqual([
      'w.steps[1].input names item.m; by its schema item has no m',
      'w.steps[1].input gives string at /n, where the input schema of task wants integer',
    ]);
    expect(problemsOf(made('steps.a.output.list', '{"n": item}', '{}'), schemas)).toEqual([
      'w.steps[1].input gives string at /n, where the input schema of task wants integer',
    ]);
    expect(problemsOf(made('[1, 2]', '{"n": item}', '{}'), schemas)).toEqual([]);
    expect(problemsOf(made('workflow.input.any', '{"n": item.anything}', '{}'), schemas)).toEqual([]);
  });

  it('gives its output the type of a list of outputs, with null for an item without one', () => {
    const ofNext = (next: string, task: object) =>
      problemsOf(made('workflow.input.any', 'workflow.input.any', next), { ...schemas, task });
    const listOf = (items: object) => object({ all: { type: 'array', items } });
    const output = object({ n: string }, ['n']);
    const given = (task: object) =>
      problemsOf(made('workflow.input.any', 'workflow.input.any', '{"all": steps.b.output}'), {
        task,
        taskOutput: output,
      });
    expect(given(listOf(integer))).toEqual([
      'w.steps[2].input does not fit the input schema of task: steps.b.output[] is object or null, input.all[] takes integer',
    ]);
    expect(given(listOf(object({ n: integer }, ['n'])))).toEqual([
      'w.steps[2].input does not fit the input schema of task: steps.b.output[].n is string, input.all[].n takes integer',
    ]);
    expect(given(listOf({ type: ['null', 'string'] }))).toEqual([]);
    expect(given(listOf({}))).toEqual([]);
    expect(ofNext('{"n": steps.b.output[0].list[index]}', object({ n: integer }))).toEqual([
      'w.steps[2].input gives string at /n, where the input schema of task wants integer',
    ]);
    expect(ofNext('{"n": steps.b.output[0]["other"]}', object({ n: integer }))).toEqual([]);
  });

  it('accepts the list of another fan-out as items', () => {
    const twice = workflow([
      step('a', [], { fanOut: { items: 'workflow.input.any' }, input: 'item' }),
      step('b', ['a'], { fanOut: { items: 'steps.a.output' }, input: '{"n": item.list}' }),
    ]);
    expect(problemsOf(twice, schemas)).toEqual([
      'w.steps[1].input gives array at /n, where the input schema of task wants integer',
    ]);
  });
});

describe('the check of expressions', () => {
  it('requires the right types of a condition, a loop and a list', () => {
    const found = problemsOf(
      workflow([
        step('a', [], { condition: 'workflow.input.note' }),
        step('b', [], { loop: { repeatCondition: 'iteration', maxIterations: 2 } }),
        step('c', [], { fanOut: { items: 'workflow.input.customer' } }),
        step('d', [], { condition: 'workflow.input.any', fanOut: { items: 'workflow.input.items' } }),
      ]),
    );
    expect(found).toEqual([
      'w.steps[0].condition gives string, where a condition wants boolean',
      'w.steps[1].loop.repeat_condition gives integer, where a repeat_condition wants boolean',
      'w.steps[2].fan_out.items gives object, where a fan-out wants array',
    ]);
  });

  it('compares the output with the schema of the workflow', () => {
    const made = workflow([step('a')], { output: '{"total": steps.a.output.number}' });
    expect(problemsOf(made, { output: closed({ total: integer }, ['total']) })).toEqual([
      "w.output gives string at /total, where the workflow's output schema wants integer",
    ]);
  });
});
