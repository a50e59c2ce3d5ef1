/** Joins whose parents end at the same moment: each runs once, in many workflows and on two replicas. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTwoReplicas } from '../../../support/databases/shared-backends.ts';
import { type Flow, Flows, resultOf, type Step, startOn, TriggerRule } from './flows.ts';

const MANY = 1_000;
const places = {
  'two replicas on one PostgreSQL': async () => {
    const deployment = await startTwoReplicas({ leaseMs: 600_000 });
    const flows = await Promise.all(deployment.replicas.map(({ grpcAddress }) => Flows.start(grpcAddress)));
    const stop = () => Promise.all(flows.map((one) => one.stop())).finally(() => deployment.stop());
    return { flows, stop };
  },
  PostgreSQL: () => startOn('PostgreSQL').then(({ flows, stop }) => ({ flows: [flows], stop })),
  PGlite: () => startOn('PGlite').then(({ flows, stop }) => ({ flows: [flows], stop })),
};

const diamond: readonly Step[] = [
  { name: 'top', input: '{"as": "top", "give": workflow.input.n}' },
  { name: 'left', needs: ['top'], input: '{"as": "left", "meet": workflow.job_id, "give": steps.top.output + 1}' },
  { name: 'right', needs: ['top'], input: '{"as": "right", "meet": workflow.job_id, "give": steps.top.output + 2}' },
  {
    name: 'join',
    needs: ['left', 'right'],
    triggerRule: TriggerRule.ALL_DONE,
    input: '{"as": "join", "of": workflow.job_id, "give": steps.left.output + steps.right.output}',
  },
];
const flow: Flow = { output: 'steps.join.output' };

describe.each(Object.keys(places) as (keyof typeof places)[])('joins on %s', (where) => {
  let place: Awaited<ReturnType<(typeof places)[typeof where]>>;

  beforeAll(async () => {
    place = await places[where]();
  });

  afterAll(() => place?.stop());

  it(`run once each in ${MANY} workflows`, { timeout: 180_000 }, async () => {
    const [first] = place.flows as [Flows];
    const definition = await first.define(diamond, flow);
    const share = MANY / place.flows.length;
    const jobs = await Promise.all(
      place.flows.map(({ client }, at) =>
        client.submitMany(Array.from({ length: share }, (_, i) => ({ definition, input: { n: at * share + i } }))),
      ),
    );
    const ids = jobs.flat().map(({ jobId }) => jobId);
    for (const [i, jobId] of ids.entries()) expect(resultOf(await first.ended(jobId, 150_000))).toBe(2 * i + 3);
    expect(ids.filter((jobId) => Flows.haveMet(jobId))).toHaveLength(MANY);
    const joins = place.flows.flatMap((one) => one.startsAs('join').map(({ part }) => part.of));
    expect(joins.toSorted()).toEqual(ids.toSorted());
    const started = place.flows.flatMap((one) => one.starts.map(({ jobId }) => jobId));
    expect([started.length, new Set(started).size]).toEqual([4 * MANY, 4 * MANY]);
  });
});
