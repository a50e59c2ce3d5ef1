/** Makes the parts of retries: circuit breakers and their probes. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { UnspentCredits } from '../dispatch/unspent-credits.ts';
import { Breakers } from './breakers.ts';
import { Probes } from './probes.ts';

type Ports = Pick<EnginePorts, 'store' | 'clock' | 'dbClock' | 'timers' | 'random' | 'log' | 'announcer'>;

interface Needs {
  readonly lanes: Lanes;
  readonly credits: UnspentCredits;
  readonly limits: Limits;
  readonly dispatcher: Dispatcher;
}

/** What the API sees of them. */
export interface RetriesApi {
  readonly breakers: Breakers;
}

export function createRetries(ports: Ports, { lanes, credits, limits, dispatcher }: Needs) {
  const { announcer } = ports;
  const breakers = new Breakers(ports);
  const probes = new Probes({ ...ports, lanes, credits, dispatcher, limits });
  const notify = (jobIds: readonly string[]) => probes.notify(jobIds);
  announcer.subscribe({ changed: notify, ended: notify });
  return { breakers, probes };
}
