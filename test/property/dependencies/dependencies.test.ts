/** Dependencies against an independent evaluator: which are met, and that a walk finds exactly the real circles. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Condition, conditions, endings, isMet } from '../../../server/domain/dependencies/dependencies.ts';
import { cycleText, keyOfNode, type WaitNode, WaitWalk } from '../../../server/domain/dependencies/dependency-cycle.ts';

const node = (i: number): WaitNode =>
  i % 2 === 0 ? { kind: 'JOB', jobId: `j${i}` } : { kind: 'STEP', jobId: `w${i}`, step: i, name: `s${i}` };

/** Whether `to` is reachable from `from`. */
function reaches(edges: readonly (readonly [number, number])[], from: number, to: number): boolean {
  const reached = new Set([from]);
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const [a, b] of edges) if (reached.has(a)) reached.add(b);
  }
  return reached.has(to);
}

const graphs = fc.record({
  edges: fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 30 }),
  job: fc.nat(5).map((i) => i * 2),
  start: fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
  page: fc.integer({ min: 1, max: 4 }),
});

describe('a walk of dependencies', () => {
  it('finds a circle exactly when one exists, and names a real path', () => {
    fc.assert(
      fc.property(graphs, ({ edges, job, start, page }) => {
        const walk = new WaitWalk(start.map(node), [[node(job)]]);
        for (let nodes = walk.next(page); nodes.length > 0; nodes = walk.next(page))
          for (const one of nodes)
            walk.add(
              one,
              edges.flatMap(([a, b]) => (keyOfNode(node(a)) === keyOfNode(one) ? [node(b)] : [])),
            );
        const expected = start.some((from) => reaches(edges, from, job));
        expect(walk.cycle !== undefined).toBe(expected);
        if (!walk.cycle) return;
        const keys = walk.cycle.map(keyOfNode);
        expect(keys.at(-1)).toBe(keyOfNode(node(job)));
        expect(start.map((i) => keyOfNode(node(i)))).toContain(keys[0]);
        const known = new Set(edges.map(([a, b]) => `${keyOfNode(node(a))}>${keyOfNode(node(b))}`));
        for (let i = 1; i < keys.length; i++) expect(known).toContain(`${keys[i - 1]}>${keys[i]}`);
      }),
    );
  });

  it('stops with an error when there is too much to walk', () => {
    const walk = new WaitWalk([{ kind: 'JOB', jobId: '0' }], [[{ kind: 'JOB', jobId: 'x' }]]);
    for (let i = 1, nodes = walk.next(1); nodes.length > 0; nodes = walk.next(1), i++)
      walk.add(nodes[0] as WaitNode, [{ kind: 'JOB', jobId: String(i) }]);
    expect(walk.isTooLarge).toBe(true);
    expect(walk.cycle).toBeUndefined();
  });

  it('is described hop by hop, within the size of an answer', () => {
    expect(cycleText('job a', [node(2), node(3), { kind: 'JOB', jobId: 'a' }])).toBe(
      'job a waits for job j2 waits for step s3 of workflow w3 waits for job a',
    );
    const long = Array.from({ length: 1_000 }, (_, i) => ({ kind: 'JOB', jobId: `${i}` }) as const);
    const text = cycleText('job x', long);
    expect(text.split(' waits for ')).toHaveLength(42);
    expect(text).toContain('960 more, the last of them');
  });
});

describe('a dependency condition', () => {
  const failed = ['FAILED', 'CANCELLED', 'EXPIRED', 'UPSTREAM_FAILED'];
  it.each(Object.keys(conditions) as Condition[])('%s is met by the right ends', (condition) => {
    for (const ending of endings) {
      const expected =
        condition === 'ENDED' || (condition === 'SUCCEEDED' ? ending === 'SUCCEEDED' : failed.includes(ending));
      expect(isMet(condition, ending)).toBe(expected);
    }
  });
});
