/** What a new version may break, judged by the two versions, the connected workers and the open jobs. */
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
  it('cause no issue when they serve every version', () => {
    expect(issues({ offers: [offer('a', 0, 0), offer('b', 2, 3)] })).toEqual([]);
  });

  it('are named once each when they do not serve the new version', () => {
    const offers = [offer('b', 1, 1), offer('a', 3, 0), offer('b', 1, 1), offer('c', 0, 0)];
    expect(issues({ offers })).toEqual([
      { kind: 'WORKER_EXCLUDES_VERSION', message: expect.stringContaining('version 2'), subjects: ['a', 'b'] },
    ]);
  });

  it('cause an issue when none can run the new version but some run the previous one', () => {
    expect(kindsOf(issues({ offers: [offer('a', 1, 1)] }))).toEqual(['NO_WORKER', 'WORKER_EXCLUDES_VERSION']);
    const renamed = issues({ next: version(2, { handler: 'post' }), offers: [offer('a', 0, 0)] });
    expect(kindsOf(renamed)).toEqual(['NO_WORKER', 'PLACEMENT_CHANGED']);
    const demanding = issues({ next: version(2, { demands: { labels: { gpu: 'yes' } } }), offers: [offer('a', 0, 0)] });
    expect(kindsOf(demanding)).toEqual(['NO_WORKER', 'PLACEMENT_CHANGED']);
  });

  it('cause no issue when they could not run the previous version either', () => {
    expect(issues({ offers: [] })).toEqual([]);
    expect(issues({ offers: [offer('a', 0, 0, { handlers: [] })] })).toEqual([]);
    expect(compatibilityIssues({ previous: undefined, next: version(1), offers: [], openVersions: [] })).toEqual([]);
  });

  it('are named at most twenty at a time', () => {
    const offers = Array.from({ length: 30 }, (_, i) => offer(`worker-${i}`, 1, 1));
    for (const { subjects } of issues({ offers })) expect(subjects).toHaveLength(20);
  });
});

it('open jobs of older versions are reported by version', () => {
  expect(issues({ openVersions: [3, 1] })).toEqual([
    { kind: 'JOBS_IN_FLIGHT', message: expect.stringContaining('3, 1'), subjects: ['3', '1'] },
  ]);
});

describe('schemas', () => {
  const schema = (value: object) => ({ kind: 'json', text: JSON.stringify(value) }) as const;
  const open = schema({ type: 'object' });
  const strict = schema({ type: 'object', required: ['to'] });

  it('cause an issue when they accept fewer inputs, and none when they accept more', () => {
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

  it('cause an issue when they allow more results, and none when they allow fewer', () => {
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

it('a change of queue, handler or kind of worker is reported', () => {
  const [one] = issues({ next: version(2, { queue: 'slow', handler: 'post', demands: { labels: { zone: 'a' } } }) });
  expect(one?.kind).toBe('PLACEMENT_CHANGED');
  for (const word of ['queue slow instead of default', 'handler post instead of mail', 'other demands']) {
    expect(one?.message).toContain(word);
  }
  expect(issues({ next: version(2, { priority: 3, description: 'x' }) })).toEqual([]);
});

describe('a workflow', () => {
  const workflow = version(2, { handler: '', workflow: { steps: [], failureMode: 'FAIL_FAST' } });

  it('needs no worker, and causes no issue for workers', () => {
    expect(issues({ previous: { ...workflow, version: 1 }, next: workflow, offers: [offer('a', 0, 0)] })).toEqual([]);
  });

  it('that replaces a task takes its jobs from the handler, and gives them back when the task returns', () => {
    const message = (facts: Facts) => issues(facts).map(({ message }) => message);
    expect(message({ next: workflow, offers: [offer('a', 0, 0)] })).toEqual([
      'jobs go to no handler any more: the definition is a workflow now',
    ]);
    expect(message({ previous: workflow, next: version(3), offers: [offer('a', 0, 0)] })).toEqual([
      'jobs go to handler mail: the definition was a workflow',
    ]);
  });
});
