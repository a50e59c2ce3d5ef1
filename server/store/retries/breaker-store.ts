/** The store's port for circuit breakers, on one database. */
import type { BreakerStore } from '../../engine/ports/breakers.ts';
import type { Session } from '../driver/database.ts';
import {
  listBreakers,
  lockBreakers,
  makeBreakers,
  readBreakerLanes,
  readMisgated,
  writeBreakers,
} from './circuit-breakers.ts';
import { lockBreakerToProbe, readLanesToProbe, readOpenBreakers } from './probe-breakers.ts';

export function breakerStore(session: Session): BreakerStore {
  return {
    makeBreakers: (keys) => makeBreakers(session, keys),
    lockBreakers: (keys) => lockBreakers(session, keys),
    lockBreakerToProbe: (key) => lockBreakerToProbe(session, key),
    writeBreakers: (breakers) => writeBreakers(session, breakers),
    readBreakerLanes: (key) => readBreakerLanes(session, key),
    readMisgated: () => readMisgated(session),
    listBreakers: (namespace, afterName, limit) => listBreakers(session, namespace, afterName, limit),
    readOpenBreakers: (after, limit) => readOpenBreakers(session, after, limit),
    readLanesToProbe: (key, after, limit) => readLanesToProbe(session, key, after, limit),
  };
}
