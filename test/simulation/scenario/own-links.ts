/**
 * The waits of a seed: events and approvals, other jobs, children; from a random source of their own, as workflows are.
 */
import { Prng } from '../../../server/tools/simulate/prng.ts';
import { type PlannedFamily, planFamilies } from './families.ts';
import type { FlowShape, SubmittedFlow } from './flows.ts';
import { type Net, planNet } from './nets.ts';
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
