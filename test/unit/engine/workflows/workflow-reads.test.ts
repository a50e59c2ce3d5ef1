/** Steps of workflows, combined from a definition and the stored rows of steps. */
import { describe, expect, it } from 'vitest';
import type { JobDefinition } from '../../../../server/domain/definitions/definition.ts';
import type { StepState } from '../../../../server/domain/workflows/step-state.ts';
import type { WorkflowStep } from '../../../../server/domain/workflows/workflow.ts';
import type { JobView } from '../../../../server/engine/ports/jobs.ts';
import type { StepRecord } from '../../../../server/engine/ports/workflows.ts';
import { WorkflowReader } from '../../../../server/engine/workflows/reads.ts';

type Rows = Readonly<Record<number, StepState>>;
const counts = { WAITING: 0, RUNNING: 0, SUCCEEDED: 0, FAILED: 0, UPSTREAM_FAILED: 0, SKIPPED: 0 };

function reader(rows: Rows, { size = 5, needs = [] as string[], state = 'WAITING', isTask = false } = {}) {
  const step = (i: number): WorkflowStep => ({
    ...{ name: `s${i}`, definition: 'd', definitionVersion: 0, needs, rule: 'ALL_SUCCESS', role: 'NORMAL' },
  });
  const steps = Array.from({ length: size }, (_, i) => step(i));
  const workflow = isTask ? undefined : { steps, failureMode: 'FAIL_FAST' };
  const known = Object.entries(rows).map(([number, state]) => ({ step: Number(number), state }));
  const record = { childId: undefined, iteration: 0, fanOut: undefined, reason: undefined, cached: false };
  const times = { startTimeUs: undefined, endTimeUs: undefined, compensation: undefined };
  return new WorkflowReader({
    clock: { nowUs: () => 0 },
    getJob: async () => ({ jobId: 'j', definition: 'w', definitionVersion: 3, state }) as JobView,
    definitions: { get: async () => ({ workflow }) as unknown as JobDefinition },
    store: {
      readRun: async () => ({
        phase: 'WORK',
        counts: { ...counts, ...Object.fromEntries(known.map(({ state: one }) => [one, 1])) },
        cached: 0,
      }),
      readStates: async (_jobId, afterStep) => known.filter((one) => one.step > afterStep),
      hasWaiting: async () => false,
      readSteps: async (_jobId, wanted) =>
        known.filter((one) => wanted.includes(one.step)).map((one): StepRecord => ({ ...one, ...record, ...times })),
    },
  });
}

const list = async (reads: WorkflowReader, states: StepState[] = [], limit = 10, afterStep = -1) => {
  const { steps, hasMore } = await reads.list('default', 'j', { afterStep, states, limit });
  return { steps: steps.map(({ step, state }) => `${step.name} ${state}`), hasMore };
};

describe('the steps of a workflow', () => {
  const reads = reader({ 0: 'SUCCEEDED', 2: 'RUNNING', 3: 'WAITING' });

  it.each([
    ['all', [], ['s0 SUCCEEDED', 's1 WAITING', 's2 RUNNING', 's3 WAITING', 's4 WAITING']],
    ['waiting', ['WAITING'], ['s1 WAITING', 's3 WAITING', 's4 WAITING']],
    ['open or done', ['RUNNING', 'SUCCEEDED'], ['s0 SUCCEEDED', 's2 RUNNING']],
    ['failed', ['FAILED'], []],
  ] as [string, StepState[], string[]][])(
    'with state %s come in order, whether they have rows or not',
    async (_what, states, steps) => {
      expect(await list(reads, states)).toEqual({ steps, hasMore: false });
    },
  );

  it('come page by page, and only the last page has no next one', async () => {
    expect(await list(reads, [], 2)).toEqual({ steps: ['s0 SUCCEEDED', 's1 WAITING'], hasMore: true });
    expect(await list(reads, [], 3, 1)).toEqual({ steps: ['s2 RUNNING', 's3 WAITING', 's4 WAITING'], hasMore: false });
    expect(await list(reads, ['WAITING'], 2, 1)).toEqual({ steps: ['s3 WAITING', 's4 WAITING'], hasMore: false });
    expect(await list(reads, ['WAITING'], 1, 1)).toEqual({ steps: ['s3 WAITING'], hasMore: true });
    expect(await list(reads, [], 3, 4)).toEqual({ steps: [], hasMore: false });
  });

  it('with very many needs come fewer per page, and at least one', async () => {
    const needs = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(60)}${i}`);
    const { steps, hasMore } = await list(reader({}, { size: 100, needs }), [], 100);
    expect([steps.length, hasMore]).toEqual([31, true]);
    const huge = reader({}, { size: 2, needs: ['x'.repeat(3 << 20)] });
    expect(await list(huge)).toEqual({ steps: ['s0 WAITING'], hasMore: true });
  });

  it.each([
    ['WAITING', ''],
    ['FAILED', 'never started'],
  ])('that wait in a %s workflow have the reason "%s"', async (state, reason) => {
    const { steps } = await reader({ 0: 'SUCCEEDED', 1: 'WAITING' }, { size: 3, state }).list('default', 'j', {
      ...{ afterStep: -1, states: [], limit: 9 },
    });
    expect(steps.map((step) => step.reason)).toEqual(['', reason, reason]);
  });

  it('are counted, and those without rows count as waiting', async () => {
    expect(await reads.get('default', 'j')).toMatchObject({
      size: 5,
      phase: 'WORK',
      counts: { ...counts, SUCCEEDED: 1, RUNNING: 1, WAITING: 3 },
    });
  });

  it('are empty when the job is a task', async () => {
    const task = reader({}, { isTask: true });
    await expect(task.get('default', 'j')).rejects.toMatchObject({ reason: 'NOT_A_WORKFLOW' });
    await expect(list(task)).rejects.toMatchObject({ reason: 'NOT_A_WORKFLOW' });
  });
});
