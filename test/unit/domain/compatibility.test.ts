/** What a new version may break, told from the two versions, the connected workers and the jobs in flight. */
import { describe, expect, it } from 'vitest';
import {
  type CompatibilityIssue,
  compatibilityIssues,
  type Offer,
} from '../../../server/domain/definitions/compatibility.ts';
import { definitionDefaults, type JobDefinition } from '../../../server/domain/definitions/definition.ts';

function version(number: number, changes: Partial<JobDefinition> = {}): JobDefinition {
  return {
    ...definitionDefaults,
    namespace: 'default',
    name: 'mail',
    version: number,
    handler: 'mail',
    leaseLossAction: 'ABORT',
    demands: { labels: {} },
    priority: 0,
    description: '',
    labels: {},
    createTimeUs: 0,
    ...changes,
  };
}

function offer(workerName: string, minVersion: number, maxVersion: number, changes: Partial<Offer> = {}): Offer {
  return {
    namespace: 'default',
    workerName,
    handlers: [{ name: 'mail', minVersion, maxVersion }],
    labels: {},
    ...changes,
  };
}

interface Facts {
  readonly previous?: JobDefinition;
  readonly next?: JobDefinition;
  readonly offers?: readonly Offer[];
  readonly openVersions?: readonly number[];
}

function issues({ previous = version(1), next = version(2), offers = [], openVersions = [] }: Facts) {
  return compatibilityIssues({ previous, next, offers, openVersions });
}

const kindsOf = (found: readonly CompatibilityIssue[]) => found.map(({ kind }) => kind);

describe('connected workers', () => {
  it('that serve any version are no issue', () => {
    expect(issues({ offers: [offer('a', 0, 0), offer('b', 2, 3)] })).toEqual([]);
  });

  it('that leave the new version out are named once each', () => {
    const offers = [offer('b', 1, 1), offer('a', 3, 0), offer('b', 1, 1), offer('c', 0, 0)];
    expect(issues({ offers })).toEqual([
      { kind: 'WORKER_EXCLUDES_VERSION', message: expect.stringContaining('version 2'), subjects: ['a', 'b'] },
    ]);
  });

  it('of which none can run the new version while some run the one before', () => {
    expect(kindsOf(issues({ offers: [offer('a', 1, 1)] }))).toEqual(['NO_WORKER', 'WORKER_EXCLUDES_VERSION']);
    const renamed = issues({ next: version(2, { handler: 'post' }), offers: [offer('a', 0, 0)] });
    expect(kindsOf(renamed)).toEqual(['NO_WORKER', 'PLACEMENT_CHANGED']);
    const demanding = issues({ next: version(2, { demands: { labels: { gpu: 'yes' } } }), offers: [offer('a', 0, 0)] });
    expect(kindsOf(demanding)).toEqual(['NO_WORKER', 'PLACEMENT_CHANGED']);
  });

  it('that could not run the version before either are no news', () => {
    expect(issues({ offers: [] })).toEqual([]);
    expect(issues({ offers: [offer('a', 0, 0, { handlers: [] })] })).toEqual([]);
    expect(compatibilityIssues({ previous: undefined, next: version(1), offers: [], openVersions: [] })).toEqual([]);
  });

  it('are named at most twenty at a time', () => {
    const offers = Array.from({ length: 30 }, (_, i) => offer(`worker-${i}`, 1, 1));
    for (const { subjects } of issues({ offers })) expect(subjects).toHaveLength(20);
  });
});

it('jobs of older versions are told by their versions', () => {
  expect(issues({ openVersions: [3, 1] })).toEqual([
    { kind: 'JOBS_IN_FLIGHT', message: expect.stringContaining('3, 1'), subjects: ['3', '1'] },
  ]);
});

describe('schemas', () => {
  const schema = (value: object) => ({ kind: 'json', text: JSON.stringify(value) }) as const;
  const open = schema({ type: 'object' });
  const strict = schema({ type: 'object', required: ['to'] });

  it('of inputs that refuse more are told, those that refuse less are not', () => {
    const narrowed = (previous: JobDefinition['inputSchema'], next: JobDefinition['inputSchema']) =>
      kindsOf(issues({ previous: version(1, { inputSchema: previous }), next: version(2, { inputSchema: next }) }));
    for (const [previous, next] of [
      [undefined, open],
      [open, strict],
    ] as const) {
      expect(narrowed(previous, next)).toEqual(['INPUT_SCHEMA_NARROWED']);
      expect(narrowed(next, previous)).toEqual([]);
    }
  });

  it('of results that allow more are told, those that allow less are not', () => {
    const widened = (previous: JobDefinition['outputSchema'], next: JobDefinition['outputSchema']) =>
      kindsOf(issues({ previous: version(1, { outputSchema: previous }), next: version(2, { outputSchema: next }) }));
    for (const [previous, next] of [
      [open, undefined],
      [strict, open],
    ] as const) {
      expect(widened(previous, next)).toEqual(['OUTPUT_SCHEMA_WIDENED']);
      expect(widened(next, previous)).toEqual([]);
    }
  });
});

it('another queue, handler or kind of worker is told', () => {
  const [one] = issues({ next: version(2, { queue: 'slow', handler: 'post', demands: { labels: { zone: 'a' } } }) });
  expect(one?.kind).toBe('PLACEMENT_CHANGED');
  for (const word of ['queue slow instead of default', 'handler post instead of mail', 'other demands']) {
    expect(one?.message).toContain(word);
  }
  expect(issues({ next: version(2, { priority: 3, description: 'x' }) })).toEqual([]);
});

describe('a workflow', () => {
  const workflow = version(2, { handler: '', workflow: { steps: [], failureMode: 'FAIL_FAST' } });

  it('is run by no worker, and is no issue for any', () => {
    expect(issues({ previous: { ...workflow, version: 1 }, next: workflow, offers: [offer('a', 0, 0)] })).toEqual([]);
  });

  it('in place of a task takes its jobs from the handler, and gives them back', () => {
    const message = (facts: Facts) => issues(facts).map(({ message }) => message);
    expect(message({ next: workflow, offers: [offer('a', 0, 0)] })).toEqual([
      'jobs go to no handler any more: the definition is a workflow now',
    ]);
    expect(message({ previous: workflow, next: version(3), offers: [offer('a', 0, 0)] })).toEqual([
      'jobs go to handler mail: the definition was a workflow',
    ]);
  });
});
