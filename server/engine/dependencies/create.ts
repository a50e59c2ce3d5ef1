/** Makes the parts of dependencies. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { Store } from '../ports/store.ts';
import { Dependencies } from './dependencies.ts';
import { Releases } from './releases.ts';

type Ports = Pick<EnginePorts, 'store' | 'dbClock' | 'timers' | 'random' | 'log' | 'announcer'>;

interface Needs {
  readonly lanes: Lanes;
  readonly readJob: Store['readJob'];
  readonly changes: Changes;
  readonly cancels: Cancels;
}

/** What the API sees of them. */
export interface DependenciesApi {
  readonly dependencies: Dependencies;
}

export function createDependencies(ports: Ports, { lanes, readJob, changes, cancels }: Needs) {
  const { store, dbClock: clock, timers, random, log, announcer } = ports;
  const releases = new Releases({ store, changes, cancels, lanes, clock, timers, random, log, announcer });
  announcer.subscribe({ dependencies: () => releases.wake() });
  return { releases, dependencies: new Dependencies({ store, readJob, changes, lanes, clock, random }) };
}
