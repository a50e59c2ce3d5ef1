/** Spans of steps as a real replica sends them over OTLP: each is linked to the jobs of the steps that it needs. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { type Flows, plays, type Step, TriggerRule } from '../api/workflows/flows.ts';
import { startTraced, type TracedFlows } from './traced-flows.ts';

describe.each(databaseKinds)('spans of steps on %s', (kind) => {
  let traced: TracedFlows;
  let flows: Flows;
  const linksOf = (jobId: string) => traced.linksOf(jobId);

  beforeAll(async () => {
    traced = await startTraced(kind);
    flows = traced.place.flows;
  });

  afterAll(() => traced?.stop());

  const needs = (traceId: string, ...jobIds: string[]) =>
    jobIds.map((jobId) => `needs ${traceId} ${spanIdOf(jobId, 0, 'job')}`).sort();
  /** Jobs of a workflow's step, in the order of their starts. */
  const jobsOf = async (workflowId: string, step: string): Promise<string[]> => {
    const children = new Set((await flows.children(workflowId)).map(({ jobId }) => jobId));
    return flows.starts.filter(({ jobId, part }) => children.has(jobId) && part.as === step).map(({ jobId }) => jobId);
  };
  const traceOf = (jobId: string) => jobId.replaceAll('-', '');

  it('are linked to those of the steps that they need: jobs, items, the last iteration of a loop', async () => {
    const steps: Step[] = [
      { name: 'first' },
      { name: 'each', needs: ['first'], fanOut: { items: '[1, 2, 3]' } },
      { name: 'again', needs: ['first'], loop: { repeatCondition: 'iteration < 2', maxIterations: 5 } },
      { name: 'never', needs: ['first'], condition: 'false' },
      { name: 'last', needs: ['each', 'again', 'never'], triggerRule: TriggerRule.NONE_FAILED },
    ];
    const { jobId } = await flows.run(steps);
    const [[first = ''], items, passes, [last = '']] = (await Promise.all(
      ['first', 'each', 'again', 'last'].map((step) => jobsOf(jobId, step)),
    )) as [string[], string[], string[], string[]];
    expect([items.length, passes.length]).toEqual([3, 3]);
    const trace = traceOf(jobId);
    expect(await linksOf(first)).toEqual([]);
    for (const one of [...items, ...passes]) expect(await linksOf(one)).toEqual(needs(trace, first));
    expect(await linksOf(last)).toEqual(needs(trace, ...items, passes[2] ?? ''));
    expect(await linksOf(jobId)).toEqual([]);
  });

  it('are linked to those that were adopted, in the trace of the retried workflow', async () => {
    const steps: Step[] = [
      { name: 'one' },
      { name: 'each', fanOut: { items: '[1, 2]' } },
      { name: 'bad', needs: ['one', 'each'], input: plays('bad', { fail: 'broken' }) },
    ];
    const { jobId: before } = await flows.run(steps);
    const trace = traceOf(before);
    const adopted = [...(await jobsOf(before, 'one')), ...(await jobsOf(before, 'each'))];
    expect(adopted).toHaveLength(3);
    const retry = await flows.ended((await flows.client.retry(before)).jobId);
    for (const workflow of [before, retry.jobId]) {
      const [bad = ''] = await jobsOf(workflow, 'bad');
      expect(await linksOf(bad)).toEqual(needs(trace, ...adopted));
    }
    expect(await linksOf(retry.jobId)).toEqual([`retry_of ${trace} ${spanIdOf(before, 0, 'job')}`]);
  });
});
