/** Crashes around the statements of workflows, batches and waits, in a simulation that is built. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { OwnLinks } from './own-links.ts';
import type { Simulation } from './simulation.ts';

/** Statements around which replicas die while they run workflows and batches. */
const flowStatements = [
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
  if (simulation.profile.name !== 'calm') crashAround(simulation, random, flowStatements);
}

/** Statements around which replicas die while they handle waits. */
const linkStatements = [
  'insert_signal',
  'insert_signal_waits',
  'take_kept_signals',
  'lock_signal_delivery',
  'redirect_signal',
  'drop_signal',
  'lock_edges',
  'insert_dependencies',
  'take_dependency_inbox',
  'take_dependencies',
  'drop_dependency_inbox',
  'publish_assets',
  'adopt_children',
  'lock_children',
];

export function unleashOnLinks(simulation: Simulation, { waits }: OwnLinks, random: Prng): void {
  const { world, conditions, profile } = simulation;
  if (profile.name === 'calm') return;
  for (const at of waits.lateEvents)
    world.at(at, () => conditions.lateAfter.set('insert_signal', { name: 'BEGIN', ms: random.between(400, 900) }));
  crashAround(simulation, random, linkStatements);
}

/** Up to two replicas die at one of the statements, if they reach it within three leases. */
function crashAround({ world, replicas, profile }: Simulation, random: Prng, statements: readonly string[]): void {
  for (let i = random.pick([0, 1, 1, 2]); i > 0; i--) {
    const replica = random.pick(replicas);
    const plan = { when: random.pick(['before', 'after'] as const), statement: random.pick(statements) };
    const at = random.between(200, profile.healMs);
    world.at(at, () => replica.crashAt(plan));
    world.at(Math.min(profile.healMs, at + 3 * profile.times.leaseMs), () => replica.forgetPlan());
  }
}
