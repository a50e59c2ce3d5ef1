/**
 * Workflows and batches of a seed, from a random source of their own, so that the rest of the seed is the same without
 * them.
 */
import { Prng } from '../../../server/tools/simulate/prng.ts';
import type { Plans } from '../checker/events.ts';
import { type PlannedBatch, planBatches } from './batches.ts';
import { withCaches } from './flow-caches.ts';
import { type FlowShape, flowsByName, planFlows, type SubmittedFlow } from './flows.ts';
import type { Simulation } from './simulation.ts';
import { withSignals } from './waits.ts';

export interface OwnFlows {
  readonly flows: readonly SubmittedFlow[];
  readonly batches: readonly PlannedBatch[];
}

export function planOwn(seed: number, shape: FlowShape): OwnFlows {
  const signals = new Prng(`signals of seed ${seed}`);
  const planned = planFlows(new Prng(`flows of seed ${seed}`), shape).map((one) => ({
    ...one,
    flow: withSignals(signals, one.flow),
  }));
  const flows = withCaches(planned, new Prng(`caches of seed ${seed}`));
  return { flows, batches: planBatches(new Prng(`batches of seed ${seed}`), shape) };
}

export function plansOf({ flows, batches }: OwnFlows): Plans {
  return {
    flows: flowsByName(flows.map(({ flow }) => flow)),
    batches: new Map(batches.map((batch) => [batch.name, batch])),
  };
}

/** Statements around which replicas die while they run workflows and batches. */
const deadlyStatements = [
  'lock_workflows',
  'take_workflow_inbox',
  'insert_inbox',
  'write_workflow_runs',
  'write_workflow_steps',
  'read_open_children',
  'drop_workflow_inbox',
  'lock_batch',
  'add_batch_members',
  'seal_batch',
  'stop_batch',
  'write_batch_counts',
  'write_batch_callbacks',
];

export function unleashOnFlows(simulation: Simulation, random: Prng): void {
  if (simulation.profile.name !== 'calm') crashAround(simulation, random, deadlyStatements);
}

/** Up to two replicas die at one of the statements, if they reach it within three leases. */
export function crashAround(
  { world, replicas, profile }: Simulation,
  random: Prng,
  statements: readonly string[],
): void {
  for (let i = random.pick([0, 1, 1, 2]); i > 0; i--) {
    const replica = random.pick(replicas);
    const plan = { when: random.pick(['before', 'after'] as const), statement: random.pick(statements) };
    const at = random.between(200, profile.healMs);
    world.at(at, () => replica.crashAt(plan));
    world.at(Math.min(profile.healMs, at + 3 * profile.times.leaseMs), () => replica.forgetPlan());
  }
}
