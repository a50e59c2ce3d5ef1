/** Workflows with as many needs as there may be, on the real store. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds } from '../../../../support/databases/databases.ts';
import { runsAll } from '../../../../support/run/cases.ts';
import { type Flows, type Place, resultOf, type Step, startOn, stateName } from '../flows.ts';

const RUN_MS = 240_000;

/** Each layer needs the whole layer before it. */
const layers = (count: number, width: number): Step[] =>
  Array.from({ length: count * width }, (_, i) => {
    const layer = Math.floor(i / width);
    const needs = layer > 0 ? { needsPrefixes: [`l${layer - 1}_`] } : {};
    return { name: `l${layer}_s${i % width}`, input: '{}', ...needs };
  });

describe.each(databaseKinds)('many needs on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    ({ flows } = place);
  });

  afterAll(() => place?.stop());

  async function runs(steps: readonly Step[]): Promise<void> {
    const jobId = await flows.submit(await flows.define(steps, { output: '1' }));
    const job = await flows.ended(jobId, RUN_MS);
    expect([stateName(job.state), resultOf(job)]).toEqual(['SUCCEEDED', 1]);
    const workflow = await flows.client.getWorkflow(jobId);
    expect(workflow.succeededCount).toBe(steps.length);
  }

  it.runIf(runsAll)('a workflow of a million needs runs to its end', { timeout: RUN_MS }, () => runs(layers(100, 100)));

  it('a step may need all others', { timeout: RUN_MS }, () =>
    runs([...layers(1, 9_999), { name: 'last', input: '{}', needsPrefixes: ['l'] }]),
  );
});
