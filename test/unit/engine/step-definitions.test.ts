/** What the steps of a workflow are made from: there, not archived, and no workflow in itself. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../server/domain/definitions/definition.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';
import { StepDefinitions } from '../../../server/engine/workflows/steps/definitions.ts';
import { step, workflow } from '../domain/workflow/made-workflow.ts';

function task(name: string, more: Partial<JobDefinition> = {}): JobDefinition {
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
    ...more,
  };
}

/** Each step is made from the definition of that name. */
function flow(name: string, ...definitions: string[]): JobDefinition {
  const steps = definitions.map((definition, i) => {
    const [called = '', version = '0'] = definition.split('@');
    return step(`s${i}`, [], { definition: called, definitionVersion: Number(version) });
  });
  return task(name, { handler: '', workflow: workflow(steps) });
}

function world(...stored: JobDefinition[]) {
  const reads: string[] = [];
  const show = async (_namespace: string, name: string, version: number) => {
    reads.push(name);
    const found = stored.filter((one) => one.name === name && (version === 0 || one.version === version)).at(-1);
    if (!found) throw new EngineError('DEFINITION_NOT_FOUND', 'none');
    return found;
  };
  const after = (_ms: number, run: () => void) => {
    run();
    return { cancel: () => undefined };
  };
  const steps = new StepDefinitions({ show }, { after });
  const check = (definition: JobDefinition) =>
    steps.check(definition).then(
      () => undefined,
      (error) => error as EngineError,
    );
  return { check, reads };
}

const at = (i: number) => `definition.workflow.steps[${i}].definition`;

it('a task has none, and nothing is read', async () => {
  const { check, reads } = world();
  expect(await check(task('a'))).toBeUndefined();
  expect(reads).toEqual([]);
});

it('all are there: each is read once', async () => {
  const { check, reads } = world(task('a'), task('b', { version: 2 }), flow('inner', 'a'));
  expect(await check(flow('w', 'a', 'a', 'b@2', 'inner'))).toBeUndefined();
  expect(reads).toEqual(['a', 'b', 'inner', 'a']);
});

it('all that are missing are named, and the first one’s place', async () => {
  const found = await world(task('a'), task('b')).check(flow('w', 'a', 'x', 'b@7', 'x', 'y'));
  expect(found).toMatchObject({
    reason: 'DEFINITION_NOT_FOUND',
    message: `${at(1)}: namespace default has no job definition x, b@7, y; apply what steps are made from first`,
    facts: { field: at(1), metadata: { definition: 'x', definitions: 'x, b@7, y' } },
  });
});

it('an archived one is refused', async () => {
  const found = await world(task('a'), task('old', { archiveTimeUs: 1 })).check(flow('w', 'a', 'old'));
  expect(found).toMatchObject({ reason: 'DEFINITION_ARCHIVED', facts: { field: at(1) } });
});

describe('a workflow in itself:', () => {
  it.each<[string, JobDefinition[], JobDefinition, string, number]>([
    ['at once, also for the first time', [], flow('w', 'w'), 'w > w', 0],
    ['in any version', [task('a')], flow('w', 'a', 'w@1'), 'w > w', 1],
    ['by another one', [task('a'), flow('x', 'a', 'w'), flow('w', 'a')], flow('w', 'a', 'x'), 'w > x > w', 1],
    ['by two others', [flow('y', 'w'), flow('x', 'y'), flow('w', 'x')], flow('w', 'x'), 'w > x > y > w', 0],
    ['further down', [flow('y', 'x'), flow('x', 'y')], flow('w', 'x'), 'x > y > x', 0],
  ])('%s', async (_what, stored, definition, chain, number) => {
    expect(await world(...stored).check(definition)).toMatchObject({
      reason: 'WORKFLOW_NESTING',
      message: expect.stringContaining(`would be in itself: ${chain};`),
      facts: { field: at(number), metadata: { chain } },
    });
  });

  it('is none where the version that is named has no such step', async () => {
    const stored = [task('a'), flow('w', 'a'), { ...flow('x', 'a'), version: 1 }, { ...flow('x', 'w'), version: 2 }];
    expect(await world(...stored).check(flow('w', 'x@1'))).toBeUndefined();
    expect(await world(...stored).check(flow('w', 'x'))).toMatchObject({ reason: 'WORKFLOW_NESTING' });
  });
});

describe('workflows in each other:', () => {
  /** w1 is made from w2, and so on to the last, which is made from a task. */
  const nested = (count: number) => [
    task('a'),
    ...Array.from({ length: count }, (_, i) => flow(`w${i + 1}`, 'a', i + 1 === count ? 'a' : `w${i + 2}`)),
  ];

  it('sixteen, and no more', async () => {
    expect(await world(...nested(15)).check(flow('w', 'w1'))).toBeUndefined();
    const found = await world(...nested(16)).check(flow('w', 'a', 'w1'));
    expect(found).toMatchObject({ reason: 'WORKFLOW_NESTING', facts: { field: at(1) } });
    expect(found?.message).toContain('more than 16 workflows would be in each other: w > w1 > w2');
  });

  it('also where the rest of the chain was met before', async () => {
    const stored = [...nested(15), flow('long', 'w1')];
    expect(await world(...stored).check(flow('w', 'w1', 'long'))).toMatchObject({ reason: 'WORKFLOW_NESTING' });
  });

  it('a diamond of them is looked at once', async () => {
    const layers = Array.from({ length: 14 }, (_, i) => [
      flow(`l${i}`, `l${i + 1}`, `r${i + 1}`),
      flow(`r${i}`, `l${i + 1}`, `r${i + 1}`),
    ]).flat();
    const { check, reads } = world(task('l14'), task('r14'), ...layers);
    expect(await check(flow('w', 'l0', 'r0'))).toBeUndefined();
    expect(reads.length).toBeLessThan(100);
  });
});

it('what cannot fit the schemas of the steps is told, each with its place', async () => {
  const inputSchema = { kind: 'json', text: '{"type":"object","required":["to"]}' } as const;
  const made = task('w', { workflow: workflow([step('s', [], { definition: 'mail', input: '{"subject": 1}' })]) });
  expect(await world(task('mail', { inputSchema })).check(made)).toMatchObject({
    reason: 'INVALID_FIELD',
    facts: {
      violations: [{ field: 'definition.workflow.steps[0].input', description: expect.stringContaining('no /to') }],
    },
  });
});

it('a wait has no cache: the step is named', async () => {
  const { check } = world(task('a'), task('person', { handler: '', wait: { kind: 'APPROVAL' } }));
  const cache = { maxAgeMs: 1_000 };
  const steps = [step('s0', [], { definition: 'a', cache }), step('s1', [], { definition: 'person', cache })];
  const found = await check(task('w', { handler: '', workflow: workflow(steps) }));
  expect([found?.reason, found?.message]).toEqual([
    'INVALID_FIELD',
    'definition.workflow.steps[1].cache is set, and person is a wait: what came once does not stand for what is to come; leave it out',
  ]);
});
