/** Outputs of steps whose jobs were deleted before their workflow ended. */
import { expect, it } from 'vitest';
import { beginFanOut } from '../../../../server/domain/workflows/fan-out.ts';
import { compileGraph } from '../../../../server/domain/workflows/graph.ts';
import { noneEnded } from '../../../../server/domain/workflows/trigger-rules.ts';
import type { LockedWorkflow, WorkflowStore, WrittenStep } from '../../../../server/engine/ports/workflows.ts';
import { Steps } from '../../../../server/engine/workflows/steps/steps.ts';
import { NoValue, Values } from '../../../../server/engine/workflows/values.ts';
import { stepOf, workflowOf } from '../../../support/workflows/workflow-steps.ts';

const jobId = 'the workflow';
const ended = {
  jobId,
  state: 'SUCCEEDED',
  counts: noneEnded,
  neededItems: undefined,
  iteration: 0,
  reason: undefined,
  adoptedFrom: undefined,
  skipReason: undefined,
  cacheKey: undefined,
  cacheTimeUs: undefined,
} as const;
const rows: WrittenStep[] = [
  { ...ended, step: 0, childId: 'gone', fanOut: undefined },
  { ...ended, step: 1, childId: undefined, fanOut: { ...beginFanOut({ items: '' }, 2), started: 2, succeeded: 2 } },
];
const store = {
  readSteps: async () => rows,
  readOutcomes: async () => [],
  readItemResults: async () => [{ item: 1, result: { data: Buffer.from('7'), contentType: 'application/json' } }],
} as unknown as WorkflowStore;

it.each([
  [0, 'the output of step "one" is gone: its job is no longer kept'],
  [1, 'outputs of step "each" are gone: its jobs are no longer kept'],
])('the deleted output of %s is an error and not null', async (step, message) => {
  const graph = compileGraph(workflowOf(stepOf({ name: 'one' }), stepOf({ name: 'each', fanOut: { items: '' } })));
  const steps = new Steps(graph, jobId, store);
  await steps.load([0, 1]);
  const expressions = { evaluate: () => Promise.reject(new Error('nothing is evaluated')) };
  const values = new Values({ jobId } as LockedWorkflow, steps, { store, expressions });
  await expect(values.output(step)).rejects.toThrow(new NoValue(message));
});
