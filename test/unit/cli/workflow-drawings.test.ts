/** Drawings of workflows as text: tree, columns, Mermaid, SVG and timeline. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  JobState,
  StepRole,
  StepState,
  WorkflowPhase,
  WorkflowSchema,
  WorkflowStepRunSchema,
} from '@muster-jobs/sdk/grpc';
import { describe, expect, it } from 'vitest';
import { Output } from '../../../server/cli/output/output.ts';
import { Table } from '../../../server/cli/output/table.ts';
import { headline, noteLimits } from '../../../server/cli/workflow/drawn-workflow.ts';
import { graphSvg } from '../../../server/cli/workflow/graph-svg.ts';
import { graphColumns } from '../../../server/cli/workflow/graph-view.ts';
import { timelineSvg } from '../../../server/cli/workflow/timeline-svg.ts';
import { barOf, timelineColumns } from '../../../server/cli/workflow/timeline-view.ts';
import { drawnSteps } from '../../../server/view/drawn-steps.ts';
import type { DrawnWorkflow } from '../../../server/view/drawn-workflow.ts';
import { columnsOf, treeOf } from '../../../server/view/graph-layout.ts';
import { cellsOf } from '../../../server/view/graph-routes.ts';
import { mermaid } from '../../../server/view/mermaid.ts';
import { timelineOf } from '../../../server/view/workflow-timeline.ts';

type Step = MessageInitShape<typeof WorkflowStepRunSchema>;
const { SUCCEEDED, FAILED, RUNNING, WAITING, SKIPPED } = StepState;
const START = 1_700_000_000_000;
const at = (ms: number) => timestampFromMs(START + ms);
const NOW = START + 10_000;

function draw(...steps: Step[]): DrawnWorkflow {
  const job = { jobId: 'j1', definition: 'order', definitionVersion: 2, state: JobState.WAITING, createTime: at(0) };
  const count = (state: StepState) => steps.filter((step) => (step.state ?? WAITING) === state).length;
  const counts = { succeededCount: count(SUCCEEDED), runningCount: count(RUNNING), waitingCount: count(WAITING) };
  const workflow = create(WorkflowSchema, { job, stepCount: steps.length, ...counts });
  if (!workflow.job) throw new Error('it was set');
  const runs = steps.map((step, number) =>
    create(WorkflowStepRunSchema, { state: WAITING, role: StepRole.NORMAL, ...step, number }),
  );
  return { workflow, job: workflow.job, steps: runs };
}

const order = draw(
  { name: 'charge', state: SUCCEEDED, jobId: 'c1', startTime: at(0), endTime: at(2_000) },
  { name: 'wrap', state: SKIPPED, needs: ['charge'], reason: 'its condition is false' },
  {
    name: 'pack',
    state: RUNNING,
    needs: ['charge', 'wrap'],
    startTime: at(2_000),
    fanOut: { itemCount: 9, startedCount: 6, succeededCount: 3, failedCount: 1 },
  },
  { name: 'confirm', needs: ['pack'] },
  { name: 'tidy', role: StepRole.FINALLY },
);
const out = new Output(false, process);
const linesOf = ({ steps }: DrawnWorkflow) =>
  new Table(graphColumns(out), Number.POSITIVE_INFINITY).lines(treeOf(steps));

describe('the tree', () => {
  it('places each step with its state below the first step that it needs', () => {
    expect(headline(out, order)).toBe('order@2  job j1  WAITING  5 steps: 1 SUCCEEDED, 1 RUNNING, 2 WAITING');
    const begun = {
      ...order,
      workflow: { ...order.workflow, phase: WorkflowPhase.WORK, progress: 0.419, estimatedEndTime: at(75_000) },
    };
    expect(headline(out, begun, START).split('\n')[1]).toBe('41 % done, about 1m 15s left');
    expect(linesOf(order)).toEqual([
      'STEP            STATE      DONE                      JOB  REMARK',
      'charge          SUCCEEDED                            c1',
      '├─ wrap         SKIPPED                                   its condition is false',
      '└─ pack         RUNNING    3/9, 1 failed, 6 started       needs wrap too',
      '   └─ confirm   WAITING',
      'tidy (finally)  WAITING',
    ]);
  });

  it('draws lines past a subtree', () => {
    const tree = treeOf(
      draw({ name: 'a' }, { name: 'b', needs: ['a'] }, { name: 'c', needs: ['b'] }, { name: 'd', needs: ['a'] }).steps,
    );
    expect(tree.map(({ prefix, step }) => prefix + step.name)).toEqual(['a', '├─ b', '│  └─ c', '└─ d']);
  });

  it('places a step at the edge when its first need is not drawn', () => {
    expect(treeOf(draw({ name: 'a', needs: ['far'] }).steps).map(({ prefix }) => prefix)).toEqual(['']);
  });

  it('keeps a chain of 500 steps within the width of a screen', () => {
    const chain = draw(
      ...Array.from({ length: 500 }, (_, i) => ({ name: `s${i}`, needs: i > 0 ? [`s${i - 1}`] : [] })),
    );
    const tree = treeOf(chain.steps);
    expect(tree.map(({ step }) => step.number)).toEqual(chain.steps.map(({ number }) => number));
    expect(Math.max(...tree.map(({ prefix }) => prefix.length))).toBeLessThanOrEqual(39);
  });

  it('names needs by prefix, and places the step below the first of them', () => {
    const steps = [{ name: 'a1' }, { name: 'a2' }, { name: 'b', needsPrefixes: ['a'] }];
    expect(linesOf(draw(...steps))).toEqual([
      'STEP  STATE    DONE  JOB  REMARK',
      'a1    WAITING',
      '└─ b  WAITING             needs a* too',
      'a2    WAITING',
    ]);
  });

  it('names the first ten of many needs', () => {
    const before = Array.from({ length: 13 }, (_, i) => ({ name: `s${i}` }));
    const [, , last] = linesOf(draw(...before, { name: 'z', needs: before.map(({ name }) => name) }));
    expect(last).toContain('needs s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, and 2 more, too');
  });

  it('shows the pass of a loop', () => {
    expect(linesOf(draw({ name: 'a', state: RUNNING, iterationCount: 2 }))[1]).toBe('a     RUNNING  pass 3');
  });
});

it('the columns place each step behind all its needs, and the phases one after the other', () => {
  const names = (steps: DrawnWorkflow) => columnsOf(steps.steps).map((column) => column.map(({ name }) => name));
  expect(names(order)).toEqual([['charge'], ['wrap'], ['pack'], ['confirm'], ['tidy']]);
  expect(names(draw({ name: 'c', needs: ['b', 'a'] }, { name: 'b', needs: ['a'] }, { name: 'a' }))).toEqual([
    ['a'],
    ['b'],
    ['c'],
  ]);
});

it('needs by prefix are drawn as those by name are', () => {
  const layer = (letter: string, more = {}) => [1, 2].map((i): Step => ({ name: `${letter}${i}`, ...more }));
  const short = draw(...layer('a'), ...layer('b', { needsPrefixes: ['a', 'gone'] }), {
    name: 'a',
    role: StepRole.FINALLY,
  });
  const long = draw(...layer('a'), ...layer('b', { needs: ['a1', 'a2', 'gone'] }), {
    name: 'a',
    role: StepRole.FINALLY,
  });
  expect(mermaid(short)).toBe(mermaid(long));
  expect(graphSvg(short)).toBe(graphSvg(long));
  expect(graphSvg(short).match(/<path/g)?.length).toBe(4);
});

describe('lines of the graph', () => {
  const names = (steps: DrawnWorkflow) =>
    cellsOf(steps.steps).map((column) => column.map(({ name, step }) => (step ? name : `line of ${name}`)));

  it('do not cross when each step can be placed near its need', () => {
    const crossed = draw({ name: 'a' }, { name: 'b' }, { name: 'd', needs: ['b'] }, { name: 'c', needs: ['a'] });
    expect(names(crossed)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('pass through the columns between, and are shared by steps with the same need', () => {
    const steps = draw(
      { name: 'a' },
      { name: 'b', needs: ['a'] },
      { name: 'c', needs: ['b', 'a'] },
      { name: 'd', needs: ['c', 'a', 'far'] },
    );
    expect(names(steps)).toEqual([['a'], ['b', 'line of a'], ['c', 'line of a'], ['d']]);
  });

  it('are straight when there would be too many', () => {
    const chain = Array.from({ length: 500 }, (_, i) => ({
      name: `s${i}`,
      needs: [0, 1, 2, 3, 4, i - 1]
        .filter((need, at, all) => need >= 0 && need < i && all.indexOf(need) === at)
        .map((need) => `s${need}`),
    }));
    const drawn = draw(...chain);
    expect(cellsOf(drawn.steps).every((column) => column.length === 1)).toBe(true);
    expect(graphSvg(drawn).match(/<path/g)?.length).toBe(chain.flatMap(({ needs }) => needs).length);
  });
});

it('Mermaid contains nodes, edges, and a colour for each state present', () => {
  expect(mermaid(draw({ name: 'a', state: FAILED }, { name: 'b', needs: ['a'] })).split('\n')).toEqual([
    'flowchart LR',
    '  s0["a<br/>FAILED"]:::FAILED',
    '  s1["b<br/>WAITING"]:::WAITING',
    '  s0 --> s1',
    '  classDef WAITING fill:#f8fafc,stroke:#94a3b8,color:#111',
    '  classDef FAILED fill:#fee2e2,stroke:#b91c1c,color:#111',
    '',
  ]);
});

describe('the SVG', () => {
  it('has a box per step and a line per need', () => {
    const text = graphSvg(order);
    expect([text.match(/<g>/g)?.length, text.match(/<path/g)?.length]).toEqual([5, 5]); // the fifth path is a line past a box
  });

  it('of a long chain wraps into rows and keeps text inside the boxes', () => {
    const fanOut = { itemCount: 100_000, startedCount: 90_000, succeededCount: 80_000, failedCount: 9_999 };
    const text = graphSvg(
      draw(
        ...Array.from({ length: 500 }, (_, i) => ({
          ...{
            name: `${'n'.repeat(50)}${i}`,
            needs: i > 0 ? [`${'n'.repeat(50)}${i - 1}`] : [],
            state: RUNNING,
            fanOut,
          },
        })),
      ),
    );
    const [, width, height] = text.match(/width="(\d+)" height="(\d+)"/) ?? [];
    expect(Number(width)).toBeLessThan(3_000);
    expect(Number(height)).toBeLessThan(4_000);
    const words = [...text.matchAll(/<text[^>]* x="[^>]*>([^<]*)<\/text>/g)]
      .slice(1)
      .map(([, word = '']) => word.length);
    expect(Math.max(...words)).toBeLessThanOrEqual(27);
  });

  it('of no steps is a valid document', () => {
    for (const text of [graphSvg(draw()), timelineSvg(draw(), NOW)]) {
      expect(text).toMatch(/^<svg [^>]*>[\s\S]*<\/svg>\n$/);
      expect(text).not.toMatch(/NaN|Infinity/);
    }
  });

  it('escapes markup in texts of steps', () => {
    const drawn = draw({ name: 'a', reason: '<script>"&', startTime: at(0) });
    for (const text of [graphSvg(drawn), timelineSvg(drawn, NOW)]) {
      expect(text).toContain('&lt;script&gt;&quot;&amp;');
      expect(text).not.toContain('<script>');
    }
  });
});

describe('the timeline', () => {
  it('lists steps with jobs in order of their start, and extends running ones up to now', () => {
    const timeline = timelineOf(order, NOW);
    expect(timeline).toMatchObject({ lengthMs: 10_000, without: 3 });
    expect(timeline.spans.map(({ step, from, to }) => [step.name, from, to])).toEqual([
      ['charge', 0, 2_000],
      ['pack', 2_000, 10_000],
    ]);
    const lines = new Table(timelineColumns(out, timeline), Number.POSITIVE_INFINITY).lines(timeline.spans);
    expect(lines[1]).toBe(`charge  SUCCEEDED  +0ms   2.0s  ${'█'.repeat(12)}`);
    expect(lines[2]).toBe(`pack    RUNNING    +2.0s  8.0s  ${' '.repeat(12)}${'█'.repeat(48)}`);
  });

  it('shows only the start when the end is not recorded', () => {
    const { spans } = timelineOf(draw({ name: 'a', state: SUCCEEDED, startTime: at(5_000) }), NOW);
    expect(spans.map((span) => [span.to, barOf(span, 10_000, 10)])).toEqual([[undefined, '     ┠']]);
  });

  it.each([
    [0, 0, '█'],
    [10_000, 10_000, '         █'],
    [-50, 20_000, '██████████'],
  ])('draws a visible bar within its cells from %i to %i ms', (from, to, bar) => {
    expect(barOf({ from, to }, 10_000, 10)).toBe(bar);
  });
});

it('a drawing of a workflow that waits for its turn says where the reason is', () => {
  const notes: string[] = [];
  const stream = { write: (text: string) => notes.push(text), isTTY: false } as never;
  noteLimits(new Output(false, { stdout: stream, stderr: stream }), draw());
  expect(notes.join('')).toBe('It has not been started: muster explain j1 shows the reason\n');
});

it('a drawing of a large workflow has the steps that failed or run, wherever they are', () => {
  const states = Array.from({ length: 900 }, (_, n) => (n === 800 ? FAILED : n > 850 ? RUNNING : SUCCEEDED));
  const { steps } = draw(...states.map((state, n) => ({ name: `step-${n}`, state })));
  const drawn = drawnSteps(steps, 500).map(({ number }) => number);
  expect([drawn.length, drawn.includes(800), drawn.filter((n) => n > 850).length]).toEqual([500, true, 49]);
  expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
  expect(drawnSteps(steps, 900)).toHaveLength(900);
  expect(
    drawnSteps(steps, 20)
      .map(({ number }) => number)
      .slice(0, 2),
  ).toEqual([800, 851]);
});
