/** Makes the parts of sessions: their lives, the reports of their attempts, and the logs of handlers. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { UnspentCredits } from '../dispatch/unspent-credits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { Watches } from '../jobs/read/watches.ts';
import type { Store } from '../ports/store.ts';
import { AttemptLogs } from './attempt-logs.ts';
import { LogWatches } from './log-watches.ts';
import { OpenSessions } from './open-sessions.ts';
import { Reports } from './reports.ts';
import { ResultChecks } from './result-checks.ts';
import { Sessions } from './sessions.ts';
import { Workers } from './workers.ts';

type LogPorts = Pick<EnginePorts, 'store' | 'bus' | 'timers' | 'random' | 'log' | 'announcer'>;
type Ports = LogPorts & Pick<EnginePorts, 'schemas' | 'dbClock' | 'times' | 'failureText'>;

interface LogNeeds {
  readonly readJob: Store['readJob'];
  readonly watches: Watches;
}

interface Needs extends LogNeeds {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly credits: UnspentCredits;
  readonly dispatcher: Dispatcher;
  readonly changes: Changes;
}

/** What the API sees of them. */
export interface SessionsApi {
  readonly sessions: Sessions;
  readonly reports: Reports;
  readonly logs: AttemptLogs;
  readonly logWatches: LogWatches;
  readonly workers: Workers;
}

function createLogs(ports: LogPorts, { readJob, watches }: LogNeeds) {
  const { bus, timers, random, log, announcer } = ports;
  const store = { ...ports.store, readJob };
  const logWatches = new LogWatches({ watches, store, bus, timers });
  const onStored = (jobIds: readonly string[]) => {
    logWatches.notify(jobIds);
    bus.announce({ kind: 'logged', jobIds });
  };
  announcer.subscribeHints({ logged: ({ jobIds }) => logWatches.notify(jobIds) });
  return { logWatches, logs: new AttemptLogs({ store, timers, random, log, onStored }) };
}

export function createSessions(ports: Ports, needs: Needs) {
  const { store, schemas, bus, dbClock } = ports;
  const { definitions, lanes, credits, dispatcher, changes } = needs;
  const { logs, logWatches } = createLogs(ports, needs);
  const loadLanes = (laneIds: readonly number[]) => lanes.load(laneIds);
  const sessions = new Sessions({ ...ports, logs, changes, credits, dispatcher, loadLanes });
  const resultChecks = new ResultChecks({ store, lanes, definitions, schemas });
  const workers = new Workers({ store, sessions, bus });
  return {
    sessions,
    reports: new Reports({ ...ports, logs, resultChecks, sessions, changes, credits }),
    logs,
    logWatches,
    workers,
    openSessions: new OpenSessions({ store, workers, dbClock }),
  };
}
