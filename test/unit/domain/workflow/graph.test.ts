/** The graph of a workflow: steps by number, and sizes at which a careless algorithm would fail. */
import { describe, expect, it } from 'vitest';
import { compileGraph } from '../../../../server/domain/workflows/graph.ts';
import type { EndedStep } from '../../../../server/domain/workflows/step-state.ts';
import { type StepRow, successorsOf, wave } from '../../../../server/domain/workflows/wave.ts';
import { MAX_EDGES, MAX_STEPS } from '../../../../server/domain/workflows/workflow.ts';
import { stepOf, workflowOf } from '../../../support/workflows/workflow-steps.ts';

describe('compileGraph', () => {
  const graph = compileGraph(
    workflowOf(
      stepOf({ name: 'join', needs: ['left', 'right'] }),
      stepOf({ name: 'left', needs: ['start'] }),
      stepOf({ name: 'right', needs: ['start'] }),
      stepOf({ name: 'start' }),
      stepOf({ name: 'other', needs: ['left'], rule: 'ALWAYS' }),
      stepOf({ name: 'undo', role: 'ON_FAILURE' }),
      stepOf({ name: 'clean', role: 'FINALLY' }),
      stepOf({ name: 'report', role: 'FINALLY', needs: ['clean'] }),
    ),
  );

  it('numbers steps in the order of the body, and knows the neighbours of each', () => {
    expect(graph.size).toBe(8);
    expect(graph.indexOf('start')).toBe(3);
    expect(graph.step(3).name).toBe('start');
    expect(graph.needs(0)).toEqual([1, 2]);
    expect(graph.successors(3)).toEqual([1, 2]);
    expect(graph.successors(1)).toEqual([0, 4]);
    expect(graph.successors(0)).toEqual([]);
    expect([graph.isLeaf(0), graph.isLeaf(1), graph.isLeaf(7)]).toEqual([true, false, true]);
  });

  it('knows where each role begins and ends; a step without needs is a beginning', () => {
    expect([graph.roots('NORMAL'), graph.leaves('NORMAL'), graph.count('NORMAL')]).toEqual([[3, 4], [0, 4], 5]);
    expect([graph.roots('ON_FAILURE'), graph.leaves('ON_FAILURE'), graph.count('ON_FAILURE')]).toEqual([[5], [5], 1]);
    expect([graph.roots('FINALLY'), graph.leaves('FINALLY'), graph.count('FINALLY')]).toEqual([[6], [7], 2]);
  });

  it('throws on a body that validation refuses', () => {
    const compile = (...needs: string[][]) =>
      compileGraph(workflowOf(...needs.map((names, i) => stepOf({ name: `s${i}`, needs: names }))));
    expect(() => compile(['s7'])).toThrow('no step "s7"');
    expect(() => compile(['s0'])).toThrow('in a circle');
    expect(() => compile([], ['s0', 's3'], ['s1'], ['s2'])).toThrow('in a circle');
    expect(() => compileGraph(workflowOf(stepOf({ name: 'a' }), stepOf({ name: 'a' })))).toThrow('same name');
    expect(() => graph.indexOf('nobody')).toThrow('no step "nobody"');
    expect(() => graph.step(8)).toThrow('no step 8');
  });
});

describe('a large workflow', () => {
  it('may be a chain of all its steps, and be skipped from end to end', () => {
    // The last step stands first, so that the order of the body does not help.
    const names = Array.from({ length: MAX_STEPS }, (_, i) => `s${i}`).reverse();
    const steps = names.map((name, i) => stepOf({ name, needs: names.slice(i + 1, i + 2) }));
    const graph = compileGraph(workflowOf(...steps));
    let ended: readonly EndedStep[] = [{ step: graph.indexOf('s0'), state: 'SKIPPED' }];
    let waves = 0;
    for (; ended.length > 0; waves++) {
      const found = wave(graph, new Map<number, StepRow>(), ended);
      expect(found.rows.size).toBeLessThanOrEqual(1);
      ended = found.ended;
    }
    expect(waves).toBe(MAX_STEPS);
  });

  it('may have a million needs, with waves no larger than the next steps', () => {
    const width = 1_000;
    const names = (letter: string) => Array.from({ length: width }, (_, i) => `${letter}${i}`);
    const steps = [
      ...names('a').map((name) => stepOf({ name })),
      ...names('b').map((name) => stepOf({ name, needsPrefixes: ['a'] })),
    ];
    const graph = compileGraph(workflowOf(...steps));
    const second = Array.from({ length: width }, (_, i) => width + i);
    const all = Array.from({ length: width }, (_, step) => ({ step, state: 'SUCCEEDED' as const }));
    expect(second.reduce((sum, step) => sum + graph.needCount(step), 0)).toBe(MAX_EDGES);
    expect([...successorsOf(graph, all)]).toEqual(second);
    const most = wave(graph, new Map(), all.slice(1));
    expect([[...most.rows.keys()], most.ready]).toEqual([second, []]);
    expect(wave(graph, most.rows, all.slice(0, 1)).ready).toEqual(second);
  });

  it('may have a step that needs all others', () => {
    const names = Array.from({ length: MAX_STEPS }, (_, i) => `s${i}`);
    const steps = names.map((name, i) => stepOf({ name, ...(i === 0 ? { needsPrefixes: ['s'] } : {}) }));
    const graph = compileGraph(workflowOf(...steps));
    expect(graph.needs(0)).toEqual(names.map((_, i) => i).slice(1));
    expect([graph.needCount(0), graph.successors(7), graph.roots('NORMAL').length]).toEqual([
      MAX_STEPS - 1,
      [0],
      9_999,
    ]);
  });
});
