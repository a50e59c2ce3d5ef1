/** Each trigger rule in the real system, checked by the oracle of the domain's tests. */

import { FailureMode } from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EndedStepState } from '../../../../server/domain/workflows/step-state.ts';
import type { TriggerRule as Rule } from '../../../../server/domain/workflows/workflow.ts';
import { databaseKinds } from '../../../support/databases/databases.ts';
import { endingsOfAll, hasFailedLeaf, outcomes } from '../../../support/workflows/workflow-oracle.ts';
import { stepOf } from '../../../support/workflows/workflow-steps.ts';
import { type Flows, type Place, type Step, startOn, stateName, TriggerRule, witness } from './flows.ts';

const rules = Object.keys(TriggerRule).filter((name) => /^[A-Z]/.test(name) && name !== 'UNSPECIFIED') as Rule[];
const pairs = outcomes.flatMap((a) => outcomes.map((b) => ({ a, b })));
type Pair = (typeof pairs)[number];

/** A step that ends as the workflow's input says, after one whose failure keeps it from starting. */
function branch(name: 'a' | 'b'): Step[] {
  const wanted = `workflow.input.${name}`;
  const failing = (as: string, when: string) => `{"as": "${as}", "fail": ${wanted} == "${when}" ? "as told" : ""}`;
  return [
    { name: `${name}0`, input: failing(`${name}0`, 'UPSTREAM_FAILED') },
    { name, needs: [`${name}0`], condition: `${wanted} != "SKIPPED"`, input: failing(name, 'FAILED') },
  ];
}

function expected(rule: Rule, { a, b }: Pair) {
  const workflow = {
    failureMode: 'RUN_BRANCHES' as const,
    steps: [
      ...(['a', 'b'] as const).flatMap((name) => [stepOf({ name: `${name}0` }), stepOf({ name, needs: [`${name}0`] })]),
      stepOf({ name: 'judged', needs: ['a', 'b'], rule }),
    ],
  };
  const results = new Map<string, EndedStepState>(
    Object.entries({ a, b }).flatMap(([name, state]): [string, EndedStepState][] =>
      state === 'UPSTREAM_FAILED' ? [[`${name}0`, 'FAILED']] : [[name, state]],
    ),
  );
  return { workflow, endings: endingsOfAll(workflow, results) };
}

describe.each(databaseKinds)('trigger rules on %s', (kind) => {
  let place: Place;
  let flows: Flows;

  beforeAll(async () => {
    place = await startOn(kind);
    flows = place.flows;
  });

  afterAll(() => place?.stop());

  it('are all covered here', () => expect(rules).toHaveLength(13));

  it.each(rules)('%s', { timeout: 120_000 }, async (rule) => {
    const judged = { name: 'judged', needs: ['a', 'b'], triggerRule: TriggerRule[rule] };
    const steps = [...branch('a'), ...branch('b'), judged, witness('a', 'b', 'judged')];
    const definition = await flows.define(steps, { failureMode: FailureMode.RUN_BRANCHES });
    const jobs = await flows.client.submitMany(pairs.map((input) => ({ definition, input })));
    for (const [i, pair] of pairs.entries()) {
      const job = await flows.ended(jobs[i]?.jobId ?? '');
      const children = await flows.children(job.jobId);
      const states = flows.statesOf(job.jobId) as Record<string, EndedStepState>;
      const { workflow, endings } = expected(rule, pair);
      const text = `${rule} of ${pair.a} and ${pair.b}`;
      expect({ a: states.a, b: states.b }, text).toEqual(pair);
      expect([...(endings.get('judged') ?? [])], text).toContain(states.judged);
      expect(
        flows.startsOf(children).filter((as) => as === 'judged'),
        text,
      ).toHaveLength(states.judged === 'SUCCEEDED' ? 1 : 0);
      const failed = hasFailedLeaf(workflow, 'NORMAL', new Map(Object.entries(states)));
      expect(stateName(job.state), text).toBe(failed ? 'FAILED' : 'SUCCEEDED');
    }
  });
});
