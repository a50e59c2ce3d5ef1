/** Validation finds every problem of a workflow, with its field and a remedy, and accepts a correct workflow. */
import { describe, expect, it } from 'vitest';
import type { TriggerRule, Workflow, WorkflowStep } from '../../../../server/domain/workflows/workflow.ts';
import { triggerRules } from '../../../../server/domain/workflows/workflow.ts';
import { problemsOf, step, workflow } from './made-workflow.ts';

const one = (...steps: WorkflowStep[]) => problemsOf(workflow(steps));
const outside = { on: { kind: 'JOB', jobId: 'workflow.input.job' }, condition: 'SUCCEEDED' } as const;
const clean = (name: string, needs: string[] = [], more = {}) => step(name, needs, { role: 'FINALLY', ...more });

describe('validation accepts', () => {
  it.each<[string, Workflow]>([
    ['one step', workflow([step('a')])],
    ['a diamond, in any order', workflow([step('d', ['b', 'c']), step('b', ['a']), step('c', ['a']), step('a')])],
    [
      'steps of all roles',
      workflow([
        step('a'),
        clean('z', ['y']),
        clean('y'),
        step('f', [], { role: 'ON_FAILURE', input: 'steps.a.state' }),
      ]),
    ],
    [
      'expressions that name steps before, near and far',
      workflow(
        [step('a'), step('b', ['a']), step('c', ['b'], { input: '{"a": steps.a.output, "b": steps.b.state}' })],
        {
          output: 'steps.c.output',
        },
      ),
    ],
    [
      'a final step that names any step of the work',
      workflow([step('a'), clean('z', [], { condition: 'steps.a.state != "SUCCEEDED"' })]),
    ],
    [
      'variables where they are',
      workflow([
        step('a', [], { fanOut: { items: 'workflow.input.list' }, input: '[item, index, workflow.job_id]' }),
        step('b', [], {
          loop: { repeatCondition: 'iteration < 3 && output.more', maxIterations: 9 },
          input: 'iteration == 0 ? workflow.input : previous',
        }),
      ]),
    ],
  ])('%s', (_what, made) => {
    expect(problemsOf(made)).toEqual([]);
  });
});

describe('validation of names and needs finds', () => {
  it.each<[string, string[], string[]]>([
    ['no step at all', one(), ['w.steps is empty; a workflow has at least one step']],
    [
      'a duplicate name',
      one(step('a'), step('a')),
      ['w.steps[1].name is the name of w.steps[0] too; each step has a name of its own'],
    ],
    [
      'an unknown need',
      one(step('charge'), step('b', ['charg'])),
      ['w.steps[1].needs[0] is no step of this workflow; did you mean charge?'],
    ],
    [
      'an unknown need unlike any step',
      one(step('charge'), step('b', ['zzzzzz'])),
      ['w.steps[1].needs[0] is no step of this workflow; add the step, or leave the need out'],
    ],
    [
      'a step that needs itself',
      one(step('a', ['a'])),
      ['w.steps[0].needs[0] is the step itself, which can not wait for itself'],
    ],
    [
      'a duplicate need',
      one(step('a'), step('b', ['a', 'a'])),
      ['w.steps[1].needs[1] is there already as needs[0]; name it once'],
    ],
    [
      'a prefix of no step',
      one(step('a'), step('b', ['a'], { needsPrefixes: ['a', 'x'] })),
      [
        "w.steps[1].needs_prefixes[1] is the beginning of no other step's name of the role NORMAL; add the steps, or leave the prefix out",
      ],
    ],
    [
      'a prefix of itself only',
      one(step('a'), step('b', [], { needsPrefixes: ['b'] })),
      [
        "w.steps[1].needs_prefixes[0] is the beginning of no other step's name of the role NORMAL; add the steps, or leave the prefix out",
      ],
    ],
    [
      'a prefix of steps of another role only',
      one(step('a'), step('b'), clean('z', [], { needsPrefixes: ['a'] })),
      [
        "w.steps[2].needs_prefixes[0] is the beginning of no other step's name of the role FINALLY; add the steps, or leave the prefix out",
      ],
    ],
    [
      'a duplicate prefix',
      one(step('a'), step('b', [], { needsPrefixes: ['a', 'a'] })),
      ['w.steps[1].needs_prefixes[1] is there already as needs_prefixes[0]; name it once'],
    ],
    [
      'a cycle through prefixes',
      one(step('a1', [], { needsPrefixes: ['b'] }), step('b1', [], { needsPrefixes: ['c'] }), step('c1', ['a1'])),
      [
        'w.steps[0].needs_prefixes is part of a cycle: a1 needs b1, b1 needs c1, c1 needs a1; leave one of these needs out',
      ],
    ],
    [
      'a step that never starts behind a prefix',
      one(step('a1'), step('a2'), step('b', [], { needsPrefixes: ['a'], rule: 'ALL_SKIPPED' })),
      [
        'w.steps[2].trigger_rule never lets the step start: ALL_SKIPPED does not fit, since a1 can only succeed or fail, a2 can only succeed or fail; choose another rule, or give those a condition',
      ],
    ],
    [
      'an expression that names a step outside of the prefixes',
      one(step('a1'), step('x'), step('b', [], { needsPrefixes: ['a'], input: '[steps.a1.state, steps.x.state]' })),
      ['w.steps[2].input names x, which does not come before: let b need it, or a step that does'],
    ],
    [
      'a need of another role',
      one(step('a'), clean('z', ['a'])),
      [
        'w.steps[1].needs[0] is a step of the role NORMAL, and this one of FINALLY: steps of a role wait for each other only',
      ],
    ],
    [
      'a compensation of clean-up',
      one(step('a', [], { role: 'FINALLY', compensation: { definition: 'undo', definitionVersion: 0 } })),
      ['w.steps[0].compensation is set at a step of the role FINALLY; only steps of the work (NORMAL) are compensated'],
    ],
    [
      'a compensation and a fan-out',
      one(step('a', [], { fanOut: { items: '[1]' }, compensation: { definition: 'undo', definitionVersion: 0 } })),
      [
        'w.steps[0].compensation is set together with fan_out; give each item a workflow whose step has it, or compensate all items in one ON_FAILURE step',
      ],
    ],
    [
      'a cache of clean-up',
      one(step('a', [], { role: 'ON_FAILURE', cache: { maxAgeMs: 1_000 } })),
      [
        'w.steps[0].cache is set at a step of the role ON_FAILURE, which must always run; only steps of the work (NORMAL) have one',
      ],
    ],
    [
      'a cache and a fan-out',
      one(step('a', [], { fanOut: { items: '[1]' }, cache: { maxAgeMs: 1_000 } })),
      ['w.steps[0].cache is set together with fan_out; give each item a workflow whose step has it'],
    ],
    [
      'a cache and a loop',
      one(step('a', [], { loop: { repeatCondition: 'false', maxIterations: 1 }, cache: { maxAgeMs: 1_000 } })),
      [
        'w.steps[0].cache is set together with loop; put the loop into a workflow of its own, and set the cache on the step that runs it',
      ],
    ],
    [
      'a cache and a compensation',
      one(step('a', [], { compensation: { definition: 'undo', definitionVersion: 0 }, cache: { maxAgeMs: 1_000 } })),
      [
        'w.steps[0].cache is set together with compensation; this workflow must not undo what an earlier job has done; leave out one of the two',
      ],
    ],
    [
      'an external wait with a fan-out, a loop and a cache',
      one(
        step('a', [], { fanOut: { items: '[1]' }, dependsOn: [outside] }),
        step('b', [], { loop: { repeatCondition: 'false', maxIterations: 1 }, dependsOn: [outside] }),
        step('c', [], { cache: { maxAgeMs: 1_000 }, dependsOn: [outside] }),
      ),
      [
        'w.steps[0].depends_on is set together with fan_out; give each item a workflow whose step waits',
        'w.steps[1].depends_on is set together with loop; put the loop into a workflow of its own, and set `depends_on` on the step that runs it',
        'w.steps[2].depends_on is set together with cache; an earlier result would be used without the wait; put a step with `depends_on` before the one with the cache',
      ],
    ],
    [
      'a loop and a fan-out',
      one(step('a', [], { loop: { repeatCondition: 'false', maxIterations: 1 }, fanOut: { items: '[1]' } })),
      ['w.steps[0].loop is set together with fan_out; a step may have one of the two'],
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('too many needs in total', () => {
    const first = Array.from({ length: 1_000 }, (_, i) => step(`a${i}`));
    const short = Array.from({ length: 1_001 }, (_, i) => step(`b${i}`, [], { needsPrefixes: ['a'] }));
    const long = short.map(({ name }) =>
      step(
        name,
        first.map((need) => need.name),
      ),
    );
    for (const second of [short, long])
      expect(one(...first, ...second)).toEqual([
        expect.stringMatching(/^w.steps have 1001000 needs in all; at most 1000000/),
      ]);
    expect(one(...first, ...short.slice(1))).toEqual([]);
  });
});

describe('validation finds cycles', () => {
  it.each<[string, string[], string[]]>([
    [
      'of two steps',
      one(step('a', ['b']), step('b', ['a'])),
      ['w.steps[0].needs is part of a cycle: a needs b, b needs a; leave one of these needs out'],
    ],
    [
      'of three steps, without the steps behind them',
      one(step('x', ['a']), step('a', ['c']), step('b', ['a']), step('c', ['b'])),
      ['w.steps[1].needs is part of a cycle: a needs c, c needs b, b needs a; leave one of these needs out'],
    ],
    [
      'that are separate',
      one(step('a', ['b']), step('b', ['a']), step('c', ['d']), step('d', ['c'])),
      [expect.stringMatching(/a needs b, b needs a/), expect.stringMatching(/c needs d, d needs c/)],
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual(expected);
  });
});

describe('validation of expressions finds', () => {
  const input = (text: string, more: Partial<WorkflowStep> = {}) =>
    one(step('a'), step('b', ['a'], { input: text, ...more }), step('c'), clean('z'));

  it.each<[string, string[], string]>([
    ['no CEL', input('1 +'), 'w.steps[1].input is no expression of CEL'],
    ['an unknown step', input('steps.q.output'), 'w.steps[1].input names q, which is no step of this workflow'],
    [
      'itself',
      input('steps.b.output'),
      'w.steps[1].input refers to the step itself; it has no output before it has run',
    ],
    [
      'a parallel step',
      input('steps.c.output'),
      'w.steps[1].input names c, which does not come before: let b need it, or a step that does',
    ],
    [
      'a final step',
      input('steps.z.output'),
      'w.steps[1].input names z, a step of the role FINALLY; one of NORMAL may name steps of NORMAL only',
    ],
    [
      'an item outside a fan-out',
      input('item'),
      'w.steps[1].input names item, which is there in the input of a step with fan_out only',
    ],
    ['a pass outside a loop', input('iteration'), 'w.steps[1].input names iteration, which is there in a loop only'],
    [
      'an output outside a loop',
      input('output'),
      'w.steps[1].input names output, which is there in loop.repeat_condition and compensation.input only',
    ],
    [
      'an item in a condition',
      input('1', { condition: 'item', fanOut: { items: '[1]' } }),
      'w.steps[1].condition names item, which',
    ],
    ['an item in the items', input('1', { fanOut: { items: '[item]' } }), 'w.steps[1].fan_out.items names item, which'],
    [
      'the step in its compensation',
      input('1', { compensation: { definition: 'undo', definitionVersion: 0, input: 'steps.b.output' } }),
      'w.steps[1].compensation.input refers to the step itself; output is what it gave',
    ],
    [
      'the step in the key of its cache',
      input('1', { cache: { maxAgeMs: 1_000, key: 'steps.b.output' } }),
      'w.steps[1].cache.key refers to the step itself; it has no output before it has run',
    ],
    [
      'an item in the key of a cache',
      input('1', { cache: { maxAgeMs: 1_000, key: 'item' } }),
      'w.steps[1].cache.key names item, which is there in the input of a step with fan_out only',
    ],
    [
      'the step in what it waits for outside',
      input('1', { dependsOn: [outside, { on: { kind: 'ASSET', name: 'steps.b.output' }, condition: 'SUCCEEDED' }] }),
      'w.steps[1].depends_on[1].asset refers to the step itself; it has no output before it has run',
    ],
    [
      'an item in what it waits for outside',
      input('1', { dependsOn: [{ on: { kind: 'STEP', workflowJobId: 'item', step: 'x' }, condition: 'ENDED' }] }),
      'w.steps[1].depends_on[0].step.workflow_job_id names item, which is there in the input of a step with fan_out only',
    ],
    [
      'the step in its loop',
      input('1', { loop: { repeatCondition: 'steps.b.output.more', maxIterations: 1 } }),
      'w.steps[1].loop.repeat_condition refers to the step itself; output is what its last pass gave',
    ],
    [
      'an unknown step in the output',
      problemsOf(workflow([step('a')], { output: 'steps.q.output' })),
      'w.output names q',
    ],
    [
      'a final step in the output',
      problemsOf(workflow([step('a'), clean('z')], { output: 'steps.z.output' })),
      'w.output names z, a step of the role FINALLY; the output may name steps of NORMAL only',
    ],
  ])('%s', (_what, found, expected) => {
    expect(found).toEqual([expect.stringContaining(expected)]);
  });

  it('no order violation for a step in a cycle', () => {
    const found = one(step('a', ['b']), step('b', ['a']), step('c', ['b'], { input: 'steps.a.output' }));
    expect(found).toEqual([expect.stringMatching(/cycle/)]);
  });
});

describe('validation of steps that can never start', () => {
  const behind = (rule: TriggerRule, need: Partial<WorkflowStep> = {}) =>
    one(step('a', [], need), step('b', ['a'], { rule }));

  it.each(Object.keys(triggerRules) as TriggerRule[])(
    'finds none behind a step that may end in any way, with %s',
    (rule) => {
      expect(behind(rule, { condition: 'workflow.input.go' })).toEqual([]);
      expect(behind(rule, { condition: 'false' })).toEqual([]);
      expect(one(step('a', [], { rule }))).toEqual([]);
    },
  );

  it('finds one behind a step that is never skipped', () => {
    expect(behind('ALL_SKIPPED')).toEqual([
      'w.steps[1].trigger_rule never lets the step start: ALL_SKIPPED does not fit, since a can only succeed or fail; choose another rule, or give those a condition',
    ]);
    expect(behind('ALL_FAILED')).toEqual([]);
  });

  it('finds none behind a step that never starts and yet may fail', () => {
    const found = one(
      step('a'),
      step('skipped', ['a'], { rule: 'ALL_SKIPPED' }),
      step('c', ['a', 'skipped']),
      step('d', ['c'], { rule: 'ALL_FAILED' }),
    );
    expect(found.map((text) => text.split(' ')[0])).toEqual(['w.steps[1].trigger_rule', 'w.steps[2].trigger_rule']);
  });

  it('finds those behind others that never start', () => {
    const found = one(
      step('a'),
      step('b', ['a'], { rule: 'ALL_SKIPPED' }),
      step('c', ['b']),
      step('d', ['b', 'a'], { rule: 'ONE_SUCCESS' }),
    );
    expect(found.map((text) => text.split(' ')[0])).toEqual(['w.steps[1].trigger_rule', 'w.steps[2].trigger_rule']);
    expect(found[1]).toContain('since b can only be skipped;');
  });
});

it('validation reports all problems at once, up to a hundred', () => {
  expect(one(step('a', ['a']), step('b', ['x'], { input: '(' }), step('b'))).toHaveLength(4);
  expect(one(...Array.from({ length: 500 }, (_, i) => step(`s${i}`, ['nothing'])))).toHaveLength(100);
});

describe('validation of ten thousand steps takes well under a second for', () => {
  const steps = (of: (i: number) => WorkflowStep) => workflow(Array.from({ length: 10_000 }, (_, i) => of(i)));

  it.each<[string, Workflow, number]>([
    ['a chain', steps((i) => step(`s${i}`, i === 0 ? [] : [`s${i - 1}`])), 0],
    ['a ring', steps((i) => step(`s${i}`, [`s${(i + 1) % 10_000}`])), 1],
    [
      'steps that each name one far before',
      steps((i) => step(`s${i}`, i === 0 ? [] : [`s${i - 1}`], i < 9 ? {} : { input: `steps.s${i - 9}.output` })),
      0,
    ],
    [
      'steps that name one which is not before',
      steps((i) =>
        step(`s${i}`, i % 100 === 0 ? [] : [`s${i - 1}`], { input: `steps.s${(i + 5_000) % 10_000}.output` }),
      ),
      100,
    ],
  ])('%s', (_what, made, count) => {
    const before = process.cpuUsage();
    expect(problemsOf(made)).toHaveLength(count);
    const { user, system } = process.cpuUsage(before);
    // About 0.3 s of processor time, independent of other load on the machine.
    expect((user + system) / 1_000).toBeLessThan(5_000);
  });
});
