/** Makes the parts of signals: jobs that wait for a signal, and approvals by people. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { Store } from '../ports/store.ts';
import { Approvals } from './approvals.ts';
import { SignalWaits } from './signal-waits.ts';

type Ports = Pick<EnginePorts, 'store' | 'dbClock' | 'schemas' | 'bus' | 'timers' | 'random' | 'log' | 'announcer'>;

interface Needs {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly changes: Changes;
  readonly readJob: Store['readJob'];
}

/** What the API sees of them. */
export interface SignalsApi {
  readonly signalWaits: SignalWaits;
  readonly approvals: Approvals;
}

export function createSignals(ports: Ports, { definitions, lanes, changes, readJob }: Needs): SignalsApi {
  const { schemas, bus } = ports;
  return {
    signalWaits: new SignalWaits({ ...ports, maxPayload: bus.maxUserPayload, definitions, lanes, changes }),
    approvals: new Approvals({ store: { readJob }, changes, definitions, schemas }),
  };
}
