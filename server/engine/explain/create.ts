/** Makes the parts of explanations. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { UnspentCredits } from '../dispatch/unspent-credits.ts';
import type { JobView } from '../ports/jobs.ts';
import type { OpenSessions } from '../sessions/open-sessions.ts';
import { Explanations } from './explanations.ts';

type Ports = Pick<EnginePorts, 'store' | 'clock' | 'timers' | 'random'>;

interface Needs {
  readonly lanes: Lanes;
  readonly credits: UnspentCredits;
  readonly limits: Limits;
  readonly openSessions: OpenSessions;
  /** Throws JOB_NOT_FOUND. */
  readonly getJob: (namespace: string, jobId: string) => Promise<JobView>;
}

/** What the API sees of them. */
export interface ExplainApi {
  readonly explanations: Explanations;
}

export function createExplain(ports: Ports, { lanes, credits, limits, openSessions, getJob }: Needs): ExplainApi {
  const { explain, waits, dependencies } = ports.store;
  const stores = { store: explain, waits, dependencies };
  return {
    explanations: new Explanations({ ...ports, ...stores, getJob, lanes, limits, credits, sessions: openSessions }),
  };
}
