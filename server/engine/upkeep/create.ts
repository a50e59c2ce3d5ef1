/** Makes the parts of upkeep. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Capacities } from '../dispatch/capacities.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { CountedReasons } from '../ports/vitals.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { BacklogReasons } from './backlog-reasons.ts';
import { Days } from './days.ts';
import { retentionLoop } from './retention.ts';
import { Sweeper } from './sweeper.ts';

type Ports = Pick<EnginePorts, 'store' | 'bus' | 'clock' | 'dbClock' | 'timers' | 'random' | 'log'> &
  Pick<EnginePorts, 'times' | 'announcer'>;

interface Needs {
  readonly lanes: Lanes;
  readonly limits: Limits;
  readonly capacities: Capacities;
  readonly dispatcher: Dispatcher;
  readonly changes: Changes;
  readonly sessions: Sessions;
}

/** What the metrics see of it. */
export interface UpkeepApi {
  /** Counts why jobs wait, per queue, over the whole deployment. */
  countBacklogReasons(): Promise<CountedReasons[]>;
}

export function createUpkeep(ports: Ports, { lanes, limits, capacities, dispatcher, changes, sessions }: Needs) {
  const { store, dbClock, timers, random, log, times, announcer } = ports;
  const { leaseMs } = times;
  const sweeper = new Sweeper({ ...ports, leaseMs, limits, capacities, dispatcher, changes, sessions });
  announcer.subscribe({ dueUs: (dueUs) => sweeper.dueAt(dueUs) });
  const backlogReasons = new BacklogReasons({ store, lanes, limits });
  return {
    sweeper,
    days: new Days({ store, timers, random, log }),
    retention: retentionLoop({ store, dbClock, timers, random, log }),
    countBacklogReasons: () => backlogReasons.read(),
  };
}
