/**
 * Workflows and batches of a seed, from a random source of their own, so that the rest of the seed is the same without
 * them.
 */
import { Prng } from '../../../server/tools/simulate/prng.ts';
import type { Plans } from '../checker/base/events.ts';
import { type PlannedBatch, planBatches } from './batches.ts';
import { withCaches } from './flow-caches.ts';
import { familyPauses } from './flow-pauses.ts';
import { type FlowShape, flowsByName, planFlows, type SubmittedFlow } from './flows.ts';
import { withSignals } from './waits.ts';

export interface OwnFlows {
  readonly flows: readonly SubmittedFlow[];
  readonly batches: readonly PlannedBatch[];
}

export function planOwn(seed: number, shape: FlowShape): OwnFlows {
  const signals = new Prng(`signals of seed ${seed}`);
  const pauses = new Prng(`pauses of seed ${seed}`);
  const planned = planFlows(new Prng(`flows of seed ${seed}`), shape).map((one) => ({
    ...one,
    acts: [...one.acts, ...familyPauses(pauses, shape.leaseMs)],
    flow: withSignals(signals, one.flow),
  }));
  const flows = withCaches(planned, new Prng(`caches of seed ${seed}`));
  const batches = planBatches(new Prng(`batches of seed ${seed}`), shape).map((batch) => ({
    ...batch,
    acts: familyPauses(pauses, shape.leaseMs),
  }));
  return { flows, batches };
}

export function plansOf({ flows, batches }: OwnFlows): Plans {
  return {
    flows: flowsByName(flows.map(({ flow }) => flow)),
    batches: new Map(batches.map((batch) => [batch.name, batch])),
  };
}
