/** Spans of jobs with dependencies, as a real replica sends them over OTLP: each is linked to its dependencies. */

import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { AssetService } from '@muster-jobs/sdk/gen/muster/v1/asset_service_pb';
import { DependencyCondition, type DependencySchema } from '@muster-jobs/sdk/gen/muster/v1/dependency_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { DependencyExpressionSchema } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { eventually } from '../../support/base/eventually.ts';
import { databaseKinds } from '../../support/databases/databases.ts';
import { type Flows, plays } from '../api/workflows/flows.ts';
import { startTraced, type TracedFlows } from './traced-flows.ts';

type Init = MessageInitShape<typeof DependencySchema>;

const { ENDED } = DependencyCondition;
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const onJob = (value: string): Init => ({ on: { case: 'jobId', value }, condition: ENDED });
const onStep = (workflowJobId: string, step: string): Init => ({
  on: { case: 'step', value: { workflowJobId, step } },
  condition: ENDED,
});
const onAsset = (name: string, afterMs?: number): Init => ({
  on: { case: 'asset', value: { name, ...(afterMs === undefined ? {} : { afterTime: timestampFromMs(afterMs) }) } },
});

describe.each(databaseKinds)('spans of jobs with dependencies on %s', (kind) => {
  let traced: TracedFlows;
  let flows: Flows;
  const linksOf = (jobId: string) => traced.linksOf(jobId);

  beforeAll(async () => {
    traced = await startTraced(kind);
    flows = traced.place.flows;
  });

  afterAll(() => traced?.stop());

  const dependsOn = (...jobs: (string | { readonly jobId: string; readonly traceId: string })[]) =>
    jobs
      .map((one) => (typeof one === 'string' ? { jobId: one, traceId: one.replaceAll('-', '') } : one))
      .map(({ jobId, traceId }) => `depends_on ${traceId} ${spanIdOf(jobId, 0, 'job')}`)
      .sort();
  const submit = async (dependencies: Init[]): Promise<string> =>
    traced.place.world.submit('play', { dependsOn: dependencies });
  const held = async (): Promise<{ jobId: string; hold: string }> => {
    const hold = flows.name('hold');
    return { jobId: await flows.submit('play', { as: hold, hold }), hold };
  };

  it('are linked to the jobs that they waited for, and to those that had ended before', async () => {
    const { jobId: called } = await flows.client.submit('play', {}, { traceparent: CALLER });
    await flows.ended(called);
    const { jobId: first, hold } = await held();
    const waiting = await submit([onJob(first), onJob(called), onJob(first)]);
    flows.reopen(hold);
    await flows.ended(waiting);
    const caller = { jobId: called, traceId: CALLER.split('-')[1] as string };
    expect(await linksOf(waiting)).toEqual(dependsOn(first, caller));
    expect(await linksOf(first)).toEqual([]);
    const late = await submit([onJob(first)]);
    expect(await linksOf(late)).toEqual(dependsOn(first));
    const bad = await flows.submit('play', { fail: 'broken' });
    await flows.ended(bad);
    const skipped = await traced.place.world.submit('play', { dependsOn: [{ on: { case: 'jobId', value: bad } }] });
    expect(await linksOf(skipped)).toEqual(dependsOn(bad));
  });

  it('are linked to dependencies that were added while they waited', async () => {
    const [one, two] = [await held(), await held()];
    const done = await flows.submit('play');
    await flows.ended(done);
    const waiting = await submit([onJob(one.jobId)]);
    await traced.place.world.rpc.call(JobService.method.addDependencies, {
      jobId: waiting,
      dependsOn: [onJob(two.jobId), onJob(done)],
    });
    flows.reopen(one.hold);
    flows.reopen(two.hold);
    expect(await linksOf(waiting)).toEqual(dependsOn(one.jobId, two.jobId, done));
  });

  it('are linked to the jobs of a step, in the trace of its workflow', async () => {
    const hold = flows.name('hold');
    const name = await flows.define([
      { name: 'first', input: plays('first', { hold }) },
      { name: 'each', needs: ['first'], fanOut: { items: '[1, 2, 3]' } },
      { name: 'never', needs: ['first'], condition: 'false' },
    ]);
    const flow = await flows.submit(name);
    const waiting = await submit([onStep(flow, 'each'), onStep(flow, 'never'), onJob(flow)]);
    flows.reopen(hold);
    await flows.ended(waiting);
    const traceId = flow.replaceAll('-', '');
    const items = (await flows.children(flow))
      .map(({ jobId }) => jobId)
      .sort()
      .slice(1);
    expect(items).toHaveLength(3);
    expect(await linksOf(waiting)).toEqual(dependsOn(flow, ...items.map((jobId) => ({ jobId, traceId }))));
  });

  it('are linked to the job that published an asset, before or while they waited', async () => {
    const [asset, other] = [flows.name('asset'), flows.name('asset')];
    const [publisher, both] = [
      await flows.task({ publishes: [asset] }),
      await flows.task({ publishes: [asset, other] }),
    ];
    const since = Date.now() - 60_000;
    const before = await flows.submit(publisher);
    await eventually('it is published', async () => {
      const { assets } = await traced.place.world.rpc.call(AssetService.method.listAssets, { pageSize: 1_000 });
      return assets.some(({ jobId }) => jobId === before);
    });
    const past = await submit([onAsset(asset, since)]);
    expect(await linksOf(past)).toEqual(dependsOn(before));
    const next = await submit([onAsset(asset), onAsset(other), onJob(before)]);
    const later = await flows.submit(both);
    expect(await linksOf(next)).toEqual(dependsOn(before, later));
  });

  it('of steps are linked to their external dependencies, next to the steps that they need', async () => {
    const { jobId: job, hold } = await held();
    const after = [
      create(DependencyExpressionSchema, { on: { case: 'jobId', value: 'workflow.input.job' }, condition: ENDED }),
    ];
    const flow = await flows.submit(
      await flows.define([{ name: 'first' }, { name: 'late', needs: ['first'], dependsOn: after }]),
      {
        job,
      },
    );
    await flows.hasStarted(hold);
    flows.reopen(hold);
    await flows.ended(flow);
    const { steps } = await flows.client.listWorkflowSteps(flow);
    const [first = '', late = ''] = steps.map(({ jobId }) => jobId);
    const needs = `needs ${flow.replaceAll('-', '')} ${spanIdOf(first, 0, 'job')}`;
    expect(await linksOf(late)).toEqual([...dependsOn(job), needs]);
  });
});
