/** Definitions that steps of a workflow use: they exist, are not archived, and do not contain the workflow itself. */
import { describe, expect, it } from 'vitest';
import { definitionDefaults, type JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import { StepDefinitions } from '../../../../server/engine/workflows/steps/definitions.ts';
import { step, workflow } from '../../domain/workflow/made-workflow.ts';

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

/** A workflow with one step for each of the definitions. */
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

it('a task has no step definitions, and nothing is read', async () => {
  const { check, reads } = world();
  expect(await check(task('a'))).toBeUndefined();
  expect(reads).toEqual([]);
});

it('each step definition is read once when all exist', async () => {
  const { check, reads } = world(task('a'), task('b', { version: 2 }), flow('inner', 'a'));
  expect(await check(flow('w', 'a', 'a', 'b@2', 'inner'))).toBeUndefined();
  expect(reads).toEqual(['a', 'b', 'inner', 'a']);
});

it('all missing step definitions are named, with the field of the first', async () => {
  const found = await world(task('a'), task('b')).check(flow('w', 'a', 'x', 'b@7', 'x', 'y'));
  expect(found).toMatchObject({
    reason: 'DEFINITION_NOT_FOUND',
    message: `${at(1)}: namespace default has no job definition x, b@7, y; apply what steps are made from first`,
    facts: { field: at(1), metadata: { definition: 'x', definitions: 'x, b@7, y' } },
  });
});

it('an archived step definition is refused', async () => {
  const found = await world(task('a'), task('old', { archiveTimeUs: 1 })).check(flow('w', 'a', 'old'));
  expect(found).toMatchObject({ reason: 'DEFINITION_ARCHIVED', facts: { field: at(1) } });
});

describe('a workflow is refused that contains itself', () => {
  it.each<[string, JobDefinition[], JobDefinition, string, number]>([
    ['directly, even in its first version', [], flow('w', 'w'), 'w > w', 0],
    ['in any version', [task('a')], flow('w', 'a', 'w@1'), 'w > w', 1],
    ['through another workflow', [task('a'), flow('x', 'a', 'w'), flow('w', 'a')], flow('w', 'a', 'x'), 'w > x > w', 1],
    ['through two others', [flow('y', 'w'), flow('x', 'y'), flow('w', 'x')], flow('w', 'x'), 'w > x > y > w', 0],
    ['in a nested workflow', [flow('y', 'x'), flow('x', 'y')], flow('w', 'x'), 'x > y > x', 0],
  ])('%s', async (_what, stored, definition, chain, number) => {
    expect(await world(...stored).check(definition)).toMatchObject({
      reason: 'WORKFLOW_NESTING',
      message: expect.stringContaining(`would be in itself: ${chain};`),
      facts: { field: at(number), metadata: { chain } },
    });
  });

  it('only when the named version has such a step', async () => {
    const stored = [task('a'), flow('w', 'a'), { ...flow('x', 'a'), version: 1 }, { ...flow('x', 'w'), version: 2 }];
    expect(await world(...stored).check(flow('w', 'x@1'))).toBeUndefined();
    expect(await world(...stored).check(flow('w', 'x'))).toMatchObject({ reason: 'WORKFLOW_NESTING' });
  });
});

describe('nesting of workflows', () => {
  /** w1 has a step of w2, and so on; the last one has a step of a task. */
  const nested = (count: number) => [
    task('a'),
    ...Array.from({ length: count }, (_, i) => flow(`w${i + 1}`, 'a', i + 1 === count ? 'a' : `w${i + 2}`)),
  ];

  it('is limited to sixteen levels', async () => {
    expect(await world(...nested(15)).check(flow('w', 'w1'))).toBeUndefined();
    const found = await world(...nested(16)).check(flow('w', 'a', 'w1'));
    expect(found).toMatchObject({ reason: 'WORKFLOW_NESTING', facts: { field: at(1) } });
    expect(found?.message).toContain('more than 16 workflows would be in each other: w > w1 > w2');
  });

  it('is limited also when the rest of the chain was met before', async () => {
    const stored = [...nested(15), flow('long', 'w1')];
    expect(await world(...stored).check(flow('w', 'w1', 'long'))).toMatchObject({ reason: 'WORKFLOW_NESTING' });
  });

  it('reads a shared definition once', async () => {
    const layers = Array.from({ length: 14 }, (_, i) => [
      flow(`l${i}`, `l${i + 1}`, `r${i + 1}`),
      flow(`r${i}`, `l${i + 1}`, `r${i + 1}`),
    ]).flat();
    const { check, reads } = world(task('l14'), task('r14'), ...layers);
    expect(await check(flow('w', 'l0', 'r0'))).toBeUndefined();
    expect(reads.length).toBeLessThan(100);
  });
});

it('problems with schemas of the steps are all reported, each with its field', async () => {
  const inputSchema = { kind: 'json', text: '{"type":"object","required":["to"]}' } as const;
  const made = task('w', { workflow: workflow([step('s', [], { definition: 'mail', input: '{"subject": 1}' })]) });
  expect(await world(task('mail', { inputSchema })).check(made)).toMatchObject({
    reason: 'INVALID_FIELD',
    facts: {
      violations: [{ field: 'definition.workflow.steps[0].input', description: expect.stringContaining('lacks /to') }],
    },
  });
});

it('a wait with a cache is refused with the name of the step', async () => {
  const { check } = world(task('a'), task('person', { handler: '', wait: { kind: 'APPROVAL' } }));
  const cache = { maxAgeMs: 1_000 };
  const steps = [step('s0', [], { definition: 'a', cache }), step('s1', [], { definition: 'person', cache })];
  const found = await check(task('w', { handler: '', workflow: workflow(steps) }));
  expect([found?.reason, found?.message]).toEqual([
    'INVALID_FIELD',
    'definition.workflow.steps[1].cache is set, and person is a wait: an earlier event or approval does not replace the next one; leave it out',
  ]);
});
