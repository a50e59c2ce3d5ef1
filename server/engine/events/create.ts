/** Makes the parts of events: the relay of the outbox, with the spans of jobs, and watches of events. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { EventRelay } from './event-relay.ts';
import { EventWatches } from './event-watches.ts';
import { SpanRelay } from './span-relay.ts';

type Ports = Pick<EnginePorts, 'store' | 'bus' | 'clock' | 'timers' | 'random' | 'log' | 'tracing' | 'announcer'>;

interface Needs {
  readonly lanes: Lanes;
}

/** What the API sees of them. */
export interface EventsApi {
  readonly eventWatches: EventWatches;
}

export function createEvents(ports: Ports, { lanes }: Needs) {
  const { store, bus, clock, timers, random, log, tracing, announcer } = ports;
  const spans = tracing && new SpanRelay({ store, lanes, log, ...tracing });
  const relay = new EventRelay({ outbox: store.outbox, events: bus.events, lanes, spans, clock, timers, random, log });
  announcer.subscribe({ outbox: () => relay.wake() });
  return { relay, eventWatches: new EventWatches(bus.events) };
}
