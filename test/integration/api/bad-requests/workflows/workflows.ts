/** Definitions of workflows: invalid graphs, expressions, and step definitions. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { WorkflowStepSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { StepRole, TriggerRule } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, applyJobDefinition, type Definition, type Seed } from '../base/builder.ts';

type Step = MessageInitShape<typeof WorkflowStepSchema>;
type Refusal = Parameters<typeof add>[5];

const FIELD = 'definition.workflow.steps';
const nested = [Code.FAILED_PRECONDITION, 'WORKFLOW_NESTING'] as const;
const notFound = [Code.NOT_FOUND, 'DEFINITION_NOT_FOUND'] as const;

const workflow = (steps: Step[]): NonNullable<Definition['body']> => ({ case: 'workflow', value: { steps } });

/** Steps without a definition use one that exists. */
function flow(
  row: string,
  what: string,
  steps: Step[],
  fields: readonly string[],
  more: Definition = {},
  refusal?: Refusal,
) {
  const body = ({ definition }: Seed) => workflow(steps.map((step) => ({ definition, ...step })));
  const request = (seed: Seed) => ({ definition: { name: 'new', body: body(seed), ...more } });
  add(row, what, applyJobDefinition, request, fields, refusal);
}

const input = (text: string): Step[] => [{ name: 'a' }, { name: 'b', needs: ['a'], input: text }];
const many = (count: number, step: (i: number) => Step) => Array.from({ length: count }, (_, i) => step(i));

// --- B46: cycles
flow('B46', 'a step that needs itself', [{ name: 'a', needs: ['a'] }], [`${FIELD}[0].needs[0]`]);
flow(
  'B46',
  'two that need each other',
  [
    { name: 'a', needs: ['b'] },
    { name: 'b', needs: ['a'] },
  ],
  [`${FIELD}[0].needs`],
);
flow(
  'B46',
  'a ring of 10,000',
  many(10_000, (i) => ({ name: `s${i}`, needs: [`s${(i + 1) % 10_000}`] })),
  [`${FIELD}[0].needs`],
);

// --- B47: nodes that are missing, duplicate, or never start
flow('B47', 'no steps', [], [FIELD]);
flow('B47', 'two steps of a name', [{ name: 'a' }, { name: 'a' }], [`${FIELD}[1].name`]);
flow('B47', 'a need that is no step', [{ name: 'a', needs: ['b'] }], [`${FIELD}[0].needs[0]`]);
flow('B47', 'a need twice', [{ name: 'a' }, { name: 'b', needs: ['a', 'a'] }], [`${FIELD}[1].needs[1]`]);
flow(
  'B47',
  'a need of another role',
  [
    { name: 'a', role: StepRole.FINALLY },
    { name: 'b', needs: ['a'] },
  ],
  [`${FIELD}[1].needs[0]`],
);
flow(
  'B47',
  'a step that never starts',
  [{ name: 'a' }, { name: 'b', needs: ['a'], triggerRule: TriggerRule.ALL_SKIPPED }],
  [`${FIELD}[1].trigger_rule`],
);
flow('B47', 'a definition that is not there', [{ name: 'a', definition: 'missing' }], [], {}, notFound);
flow('B47', 'a version that is not there', [{ name: 'a', definitionVersion: 9 }], [], {}, notFound);
flow('B15', "another namespace's definition", [{ name: 'a' }], [], { namespace: 'other' }, notFound);

// --- B48: too many
flow(
  'B48',
  '10,001 steps',
  many(10_001, (i) => ({ name: `s${i}` })),
  [FIELD],
);
flow(
  'B48',
  '10,001 needs',
  [...many(9_999, (i) => ({ name: `s${i}` })), { name: 'z', needs: Array.from({ length: 10_001 }, (_, i) => `s${i}`) }],
  [`${FIELD}[9999].needs`, `${FIELD}[9999].needs[9999]`],
);
flow(
  'B48',
  '1,001,000 needs in all',
  [...many(1_000, (i) => ({ name: `a${i}` })), ...many(1_001, (i) => ({ name: `b${i}`, needsPrefixes: ['a'] }))],
  [FIELD],
);
flow(
  'B48',
  '100,000,000 needs in all',
  many(10_000, (i) => ({ name: `a${i}`, needsPrefixes: ['a', 'a1', 'a2'] })),
  [FIELD],
);
flow(
  'B48',
  '101 prefixes',
  [
    ...many(101, (i) => ({ name: `a${i}` })),
    { name: 'b', needsPrefixes: Array.from({ length: 101 }, (_, i) => `a${i}`) },
  ],
  [`${FIELD}[101].needs_prefixes`],
);
for (const prefix of ['', '_', 'A', '1', 'a-', 'a'.repeat(64), '\u0000'])
  flow(
    'B47',
    `a prefix ${JSON.stringify(prefix)}`,
    [{ name: 'a' }, { name: 'b', needsPrefixes: [prefix] }],
    [`${FIELD}[1].needs_prefixes[0]`],
  );
flow(
  'B47',
  'a prefix of no step',
  [{ name: 'a' }, { name: 'b', needsPrefixes: ['c'] }],
  [`${FIELD}[1].needs_prefixes[0]`],
);
flow(
  'B47',
  'a prefix of the step itself only',
  [{ name: 'a' }, { name: 'b', needsPrefixes: ['b'] }],
  [`${FIELD}[1].needs_prefixes[0]`],
);
flow(
  'B46',
  'two that need each other by prefix',
  many(2, (i) => ({ name: `a${i}`, needsPrefixes: ['a'] })),
  [`${FIELD}[0].needs_prefixes`],
);

// --- B50: expressions
const expressions: Record<string, string> = {
  'without an end': 'workflow.input.a +',
  'that are a program': 'while (true) {}',
  'with a loop over a list': 'workflow.input.list.all(x, x > 0)',
  'with loops in loops': '[1].map(a, [1].map(b, [1].map(c, a)))',
  'of 4,097 characters': `"${'a'.repeat(4_095)}"`,
  'of a million characters': '1+'.repeat(500_000),
  'nested a million times': '('.repeat(1_000_000),
  'nested 4,000 times': '('.repeat(4_000),
  'that reach for a prototype': 'workflow.constructor',
  'that reach for the prototype of the steps': 'steps.__proto__.output',
  'with names of the server': 'process.env',
  'with a computed step': 'steps[workflow.input.step].output',
  'that call what is not there': 'workflow.input.list.filterBy(1)',
  'of a step that is not there': 'steps.c.output',
  'of a step that does not come before': 'steps.b.output',
  'of an item where there is none': 'item',
  'with a NUL': '"\u0000" + \u0000',
};
for (const [what, text] of Object.entries(expressions))
  flow('B50', `inputs ${what}`, input(text), [`${FIELD}[1].input`]);
flow('B50', 'a condition that is none', [{ name: 'a', condition: '!' }], [`${FIELD}[0].condition`]);
flow('B50', 'a fan-out over nothing', [{ name: 'a', fanOut: {} }], [`${FIELD}[0].fan_out.items`]);
flow('B50', 'a list that is none', [{ name: 'a', fanOut: { items: '"a"' } }], [`${FIELD}[0].fan_out.items`]);
flow(
  'B50',
  'a path that the schema has not got',
  [{ name: 'a', input: 'workflow.input.custmer' }],
  [`${FIELD}[0].input`],
  { inputJsonSchema: '{"type":"object","properties":{"customer":true},"additionalProperties":false}' },
);
flow(
  'B50',
  'a fan-out in a loop',
  [{ name: 'a', fanOut: { items: '[1]' }, loop: { repeatCondition: 'false', maxIterations: 1 } }],
  [`${FIELD}[0].loop`],
);

// --- B51: nested workflows
flow('B51', 'a workflow in itself', [{ name: 'a', definition: 'new' }], [], {}, nested);
add(
  'B51',
  'a workflow in itself by way of others',
  applyJobDefinition,
  ({ innermost, nested: outermost }) => ({
    definition: {
      name: innermost,
      body: workflow([{ name: 'a', definition: outermost }]),
    },
  }),
  [],
  nested,
);
add(
  'B51',
  'seventeen workflows in each other',
  applyJobDefinition,
  ({ nested: definition }) => ({
    definition: { name: 'new', body: workflow([{ name: 'a', definition }]) },
  }),
  [],
  nested,
);

// --- features that this release lacks, and several errors at once
add(
  '',
  'a list of steps with four faults',
  applyJobDefinition,
  () => ({
    definition: {
      name: 'new',
      runTimeout: { seconds: 1n },
      body: workflow([{ name: 'A', definition: '', needs: ['b'] }]),
    },
  }),
  [`${FIELD}[0].name`, `${FIELD}[0].definition`, `${FIELD}[0].needs[0]`, 'definition.run_timeout'],
);

// --- compensations
const undo = (what: string, step: Partial<Step>, fields: readonly string[], refusal?: Refusal) =>
  flow('', `compensation: ${what}`, [{ name: 'a', ...step } as Step], fields, {}, refusal);
undo('without a definition', { compensation: {} }, [`${FIELD}[0].compensation.definition`]);
undo('no name', { compensation: { definition: 'No Name' } }, [`${FIELD}[0].compensation.definition`]);
undo('version -1', { compensation: { definition: 'undo', definitionVersion: -1 } }, [
  `${FIELD}[0].compensation.definition_version`,
]);
undo('that is not there', { compensation: { definition: 'nowhere' } }, [], notFound);
undo('of clean-up', { role: StepRole.FINALLY, compensation: { definition: 'undo' } }, [`${FIELD}[0].compensation`]);
undo('of a fan-out', { fanOut: { items: '[1]' }, compensation: { definition: 'undo' } }, [`${FIELD}[0].compensation`]);
undo('no expression', { compensation: { definition: 'undo', input: '1 +' } }, [`${FIELD}[0].compensation.input`]);
undo('that names an item', { compensation: { definition: 'undo', input: 'item' } }, [`${FIELD}[0].compensation.input`]);
undo('the workflow itself', { compensation: { definition: 'new' } }, [], nested);

// --- caches
const hour = { seconds: 3_600n };
const cache = (what: string, step: Partial<Step>, fields: readonly string[]) =>
  flow('', `cache: ${what}`, [{ name: 'a', ...step } as Step], fields);
cache('for no time', { cache: {} }, [`${FIELD}[0].cache.max_age`]);
cache('for half a second', { cache: { maxAge: { nanos: 500_000_000 } } }, [`${FIELD}[0].cache.max_age`]);
cache('for more than 10 years', { cache: { maxAge: { seconds: 315_576_001n } } }, [`${FIELD}[0].cache.max_age`]);
cache('until yesterday', { cache: { maxAge: { seconds: -1n } } }, [`${FIELD}[0].cache.max_age`]);
cache('by no expression', { cache: { maxAge: hour, key: '1 +' } }, [`${FIELD}[0].cache.key`]);
cache('by its own output', { cache: { maxAge: hour, key: 'steps.a.output' } }, [`${FIELD}[0].cache.key`]);
cache('by 4,097 characters', { cache: { maxAge: hour, key: `"${'a'.repeat(4_095)}"` } }, [`${FIELD}[0].cache.key`]);
cache('of a fan-out', { fanOut: { items: '[1]' }, cache: { maxAge: hour } }, [`${FIELD}[0].cache`]);
cache('of a loop', { loop: { repeatCondition: 'false', maxIterations: 1 }, cache: { maxAge: hour } }, [
  `${FIELD}[0].cache`,
]);
cache('of clean-up', { role: StepRole.FINALLY, cache: { maxAge: hour } }, [`${FIELD}[0].cache`]);
cache('of what is taken back', { compensation: { definition: 'undo' }, cache: { maxAge: hour } }, [
  `${FIELD}[0].cache`,
]);
