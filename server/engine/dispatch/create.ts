/** Makes the parts of dispatch: lanes, credits, limits, capacities, and the dispatcher that matches them. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { Capacities } from './capacities.ts';
import { Dispatcher } from './dispatcher.ts';
import { Lanes } from './lanes.ts';
import { Limits } from './limits.ts';
import { ReadyTakers } from './ready-takers.ts';
import { UnspentCredits } from './unspent-credits.ts';

type Ports = Pick<EnginePorts, 'store' | 'bus' | 'clock' | 'dbClock' | 'timers' | 'log' | 'sampling' | 'announcer'>;

interface Needs {
  readonly definitions: Definitions;
}

/** What the API and the metrics see of it. */
export interface DispatchApi {
  /** Attempts requested by sessions of this replica and not assigned yet. */
  unspentCredits(): { readonly slots: number; readonly prefetch: number };
}

export function createDispatch(ports: Ports, { definitions }: Needs) {
  const { store, bus, clock, dbClock, timers, log, sampling, announcer } = ports;
  const lanes = new Lanes(store, definitions);
  const credits = new UnspentCredits(clock);
  const takers = new ReadyTakers();
  const onCapacity = () => takers.wake();
  const capacities = new Capacities({ store, lanes, credits, bus, timers, onCapacity });
  const limits = new Limits({ store, lanes, bus, dbClock, timers, log, announcer, onCapacity });
  const dispatcher = new Dispatcher({ store, limits, capacities, lanes, credits, takers, bus, log, sampling });
  announcer.subscribe({
    freed: (freed) => {
      limits.freed(freed);
      capacities.freed(freed);
    },
    ready: (hints) => dispatcher.hint(hints),
  });
  announcer.subscribeHints({
    ready: (hint) => dispatcher.hint(hint.lanes),
    freed: ({ laneIds }) => limits.onRemoteRelease(laneIds),
    freedKeys: ({ limitIds }) => limits.onRemoteKeyRelease(limitIds),
    freedCapacity: ({ sessionIds }) => capacities.onRemoteRelease(sessionIds),
  });
  return { lanes, credits, takers, capacities, limits, dispatcher, unspentCredits: () => credits.totals() };
}
