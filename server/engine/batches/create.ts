/** Makes the parts of batches. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import type { Store } from '../ports/store.ts';
import { BatchRetries } from './batch-retries.ts';
import { Batches } from './batches.ts';

type Ports = Pick<EnginePorts, 'store' | 'dbClock' | 'timers' | 'random' | 'log' | 'ids' | 'announcer'>;

interface Needs {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly readJob: Store['readJob'];
  readonly submissions: Submissions;
}

/** What the API sees of them. */
export interface BatchesApi {
  readonly batches: Batches;
  readonly batchRetries: BatchRetries;
}

export function createBatches(ports: Ports, { definitions, lanes, readJob, submissions }: Needs): BatchesApi {
  const store = { ...ports.store, readJob };
  const parts = { ...ports, store, clock: ports.dbClock, definitions, lanes, submissions };
  const batches = new Batches(parts);
  return { batches, batchRetries: new BatchRetries({ ...parts, batches }) };
}
