/**
 * The waits of a seed: events and approvals, other jobs, children; from a random source of their own, as workflows are.
 */
import { Prng } from '../../../server/tools/simulate/prng.ts';
import { type PlannedFamily, planFamilies } from './families.ts';
import type { FlowShape, SubmittedFlow } from './flows.ts';
import { type Net, planNet } from './nets.ts';
import { crashAround } from './own-flows.ts';
import type { Simulation } from './simulation.ts';
import { eventsOfSteps, planWaits, type Waits } from './waits.ts';

export interface OwnLinks {
  readonly waits: Waits;
  readonly net: Net;
  readonly families: readonly PlannedFamily[];
}

export function planLinks(seed: number, shape: FlowShape, flows: readonly SubmittedFlow[]): OwnLinks {
  const waiting = new Prng(`waits of seed ${seed}`);
  const linking = new Prng(`net of seed ${seed}`);
  const raising = new Prng(`families of seed ${seed}`);
  const none = { waits: [], events: [], lateEvents: [] };
  const { waits, events, lateEvents } = waiting.chance(0.6) ? planWaits(waiting, shape) : none;
  return {
    waits: { waits, lateEvents, events: [...events, ...flows.flatMap((flow) => eventsOfSteps(waiting, flow, shape))] },
    net: planNet(linking, shape, flows),
    families: raising.chance(0.6) ? planFamilies(raising, shape) : [],
  };
}

/** Statements around which replicas die while they handle waits. */
const deadlyStatements = [
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
  crashAround(simulation, random, deadlyStatements);
}
