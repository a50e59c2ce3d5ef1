/** Makes the parts of queues. */
import type { EnginePorts } from '../base/engine-ports.ts';
import { Backlogs } from './backlogs.ts';
import { Queues } from './queues.ts';

type Ports = Pick<EnginePorts, 'store' | 'clock' | 'dbClock' | 'timers' | 'random' | 'log' | 'announcer'>;

/** What the API sees of them. */
export interface QueuesApi {
  readonly queues: Queues;
}

export function createQueues({ store, clock, dbClock, timers, random, log, announcer }: Ports) {
  const backlogs = new Backlogs({ store, clock, dbClock, timers, random, log });
  return { backlogs, queues: new Queues({ store, timers, random, backlogs, announcer }) };
}
