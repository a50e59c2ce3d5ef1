/** Makes the parts of jobs, by their three folders: reads, changes, submissions. */
import type { EnginePorts } from '../base/engine-ports.ts';
import type { Definitions } from '../definitions/definitions.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import type { Limits } from '../dispatch/limits.ts';
import type { JobPage, JobQuery, JobView } from '../ports/jobs.ts';
import type { Store } from '../ports/store.ts';
import type { Backlogs } from '../queues/backlogs.ts';
import type { Breakers, LaneFailures } from '../retries/breakers.ts';
import { WorkflowRetries } from '../workflows/retries.ts';
import { Cancels, jobNotFound } from './change/cancels.ts';
import { Changes } from './change/changes.ts';
import { Erasures } from './change/erasures.ts';
import { Evictions } from './change/evictions.ts';
import { Pauses } from './change/pauses.ts';
import { Retries } from './change/retries.ts';
import { SoftDeadlines } from './change/soft-deadlines.ts';
import { EndWaiters } from './read/end-waiters.ts';
import { JobReads } from './read/job-reads.ts';
import { Watches } from './read/watches.ts';
import { Admission } from './submit/admission.ts';
import { Submissions } from './submit/submissions.ts';

/** Rows scanned per list page, however few of them match. */
const RECORDS_PER_PAGE = 10_000;

/** What the API sees of them. */
export interface JobsApi {
  readonly submissions: Submissions;
  readonly cancels: Cancels;
  readonly pauses: Pauses;
  readonly evictions: Evictions;
  readonly retries: Retries;
  readonly erasures: Erasures;
  readonly waits: EndWaiters;
  readonly watches: Watches;
  getJob(namespace: string, jobId: string): Promise<JobView>;
  /** A page of the jobs that match, newest first; `beforeJobId` is the last id of the page before it. */
  listJobs(query: Omit<JobQuery, 'scanLimit'>): Promise<JobPage>;
}

type ReadPorts = Pick<EnginePorts, 'store' | 'timers' | 'random' | 'log' | 'announcer'>;

export function createJobReads({ store, timers, random, log, announcer }: ReadPorts) {
  const reads = new JobReads({ store, timers, random });
  const readJob = (namespace: string, jobId: string) => reads.readJob(namespace, jobId);
  const waits = new EndWaiters({ store: { ...store, readJob }, timers, random, log });
  const watches = new Watches({ reads, store, timers, random, log });
  const notifyEnded = (jobIds: readonly string[]) => {
    for (const listeners of [waits, watches]) listeners.notify(jobIds);
  };
  announcer.subscribe({ changed: (jobIds) => watches.notify(jobIds), ended: notifyEnded });
  announcer.subscribeHints({ ended: ({ jobIds }) => notifyEnded(jobIds) });
  return {
    readJob,
    waits,
    watches,
    getJob: async (namespace: string, jobId: string) => {
      const job = await readJob(namespace, jobId);
      if (!job) throw jobNotFound(namespace, jobId);
      return job;
    },
    listJobs: (query: Omit<JobQuery, 'scanLimit'>) => store.listJobs({ ...query, scanLimit: RECORDS_PER_PAGE }),
  };
}

type ChangePorts = Pick<
  EnginePorts,
  'store' | 'bus' | 'dbClock' | 'timers' | 'random' | 'ids' | 'sampling' | 'announcer' | 'log'
>;

interface ChangeNeeds {
  readonly readJob: Store['readJob'];
  readonly lanes: Lanes;
  readonly breakers: Breakers;
}

export function createJobChanges(ports: ChangePorts, { readJob, lanes, breakers }: ChangeNeeds) {
  const { store, bus, random, ids } = ports;
  const onFailures = (failures: LaneFailures) => breakers.count(failures);
  const changes = new Changes({ ...ports, clock: ports.dbClock, lanes, onFailures });
  const cancels = new Cancels({ store: { readJob }, changes, ids, bus, random });
  return {
    changes,
    cancels,
    softDeadlines: new SoftDeadlines({ ...ports, changes, cancels, lanes }),
    pauses: new Pauses({ store: { readJob }, changes, bus, random }),
    evictions: new Evictions({ store, changes, bus }),
    erasures: new Erasures({ store: { readJob, eraseJob: (erasure) => store.eraseJob(erasure) }, ids }),
  };
}

type SubmissionPorts = Pick<
  EnginePorts,
  'store' | 'schemas' | 'dbClock' | 'timers' | 'random' | 'ids' | 'sampling' | 'announcer' | 'onQueueFull'
>;

interface SubmissionNeeds {
  readonly definitions: Definitions;
  readonly backlogs: Backlogs;
  readonly lanes: Lanes;
  readonly limits: Limits;
  readonly dispatcher: Dispatcher;
  readonly readJob: Store['readJob'];
  readonly cancels: Cancels;
}

export function createSubmissions(ports: SubmissionPorts, needs: SubmissionNeeds) {
  const { store, dbClock, ids, onQueueFull = () => {} } = ports;
  const { definitions, backlogs, lanes, limits, dispatcher, readJob, cancels } = needs;
  const submissions = new Submissions({
    ...ports,
    clock: dbClock,
    definitions,
    admission: new Admission({ store, backlogs, clock: dbClock, onQueueFull }),
    lanes,
    limits,
    dispatcher,
    cancel: (namespace, jobId, reason) => cancels.cancelIfOpen(namespace, jobId, reason),
  });
  const workflows = new WorkflowRetries({ workflows: store.workflows, definitions, ids });
  return { submissions, retries: new Retries({ store: { ...store, readJob }, submissions, workflows }) };
}
