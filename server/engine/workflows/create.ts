/** Makes the parts of workflows. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { JobView } from '../ports/jobs.ts';
import { ChildPauses } from './child-pauses.ts';
import { WorkflowReader } from './reads.ts';
import { StepSkips } from './steps/step-skips.ts';
import { Workflows } from './workflows.ts';

type Ports = Pick<
  EnginePorts,
  'store' | 'schemas' | 'expressions' | 'bus' | 'dbClock' | 'timers' | 'random' | 'log' | 'ids'
> &
  Pick<EnginePorts, 'sampling' | 'announcer' | 'onCacheLookups'>;

interface Needs {
  readonly definitions: Definitions;
  readonly lanes: Lanes;
  readonly dispatcher: Dispatcher;
  readonly changes: Changes;
  readonly cancels: Cancels;
  /** Throws JOB_NOT_FOUND. */
  readonly getJob: (namespace: string, jobId: string) => Promise<JobView>;
}

/** What the API sees of them. */
export interface WorkflowsApi {
  readonly workflowReader: WorkflowReader;
  readonly stepSkips: StepSkips;
}

export function createWorkflows(ports: Ports, needs: Needs) {
  const { store, bus, dbClock, announcer, onCacheLookups } = ports;
  const { definitions, lanes, dispatcher, changes, cancels, getJob } = needs;
  const workflows = new Workflows({
    ...ports,
    clock: dbClock,
    maxPayload: bus.maxUserPayload,
    onCacheLookups,
    definitions,
    lanes,
    dispatcher,
    changes,
    cancels,
  });
  const childPauses = new ChildPauses({ ...ports, clock: dbClock, changes });
  announcer.subscribe({ workflows: (jobIds) => workflows.wake(jobIds), childPauses: () => childPauses.wake() });
  const workflowReader = new WorkflowReader({ store: store.workflowReads, definitions, clock: dbClock, getJob });
  return { workflows, childPauses, workflowReader, stepSkips: new StepSkips({ ...ports, reader: workflowReader }) };
}
