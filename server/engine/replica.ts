/** One replica's engine: everything that decides and moves jobs, wired from the ports. */
import type { BacklogBound } from '../domain/backlog.ts';
import type { Failure } from '../domain/payload.ts';
import { Admission } from './admission.ts';
import { Announcer } from './announcer.ts';
import { AttemptLogs } from './attempt-logs.ts';
import type { AuditQuery, AuditRecord } from './audit-views.ts';
import { Backlogs } from './backlogs.ts';
import { BatchRetries } from './batches/batch-retries.ts';
import { Batches } from './batches/batches.ts';
import { Breakers, type LaneFailures } from './breakers.ts';
import { Cancels, jobNotFound } from './cancels.ts';
import { Changes } from './changes.ts';
import type { DbClock } from './db-clock.ts';
import { DeadlockSearch } from './deadlocks/deadlock-search.ts';
import { HandlerWaits } from './deadlocks/handler-waits.ts';
import { DefinitionChanges } from './definition-changes.ts';
import { Definitions } from './definitions.ts';
import { Dependencies } from './dependencies/dependencies.ts';
import { Releases } from './dependencies/releases.ts';
import { Dispatcher } from './dispatcher.ts';
import { Erasures } from './erasures.ts';
import { EventRelay } from './event-relay.ts';
import { EventWatches } from './event-watches.ts';
import { Explanations } from './explanations.ts';
import { Holds } from './holds.ts';
import { JobIds } from './job-ids.ts';
import { JobReads } from './job-reads.ts';
import type { JobPage, JobQuery, JobView } from './job-views.ts';
import { Lanes } from './lanes.ts';
import { Limits } from './limits.ts';
import type { AttemptLog, LogQuery } from './log-records.ts';
import { LogWatches } from './log-watches.ts';
import { Namespaces } from './namespaces.ts';
import { OpenSessions } from './open-sessions.ts';
import { ParkedCredits } from './parked-credits.ts';
import type { Bus, Clock, Log, Random, Schemas, Timers, Tracing } from './ports.ts';
import { Probes } from './probes.ts';
import { type QueueName, Queues } from './queues.ts';
import { Reports } from './reports.ts';
import { ResultChecks } from './result-checks.ts';
import { Retention } from './retention.ts';
import { Retries } from './retries.ts';
import { Rooms } from './rooms.ts';
import { ScheduleRounds } from './schedule-rounds.ts';
import { Schedules } from './schedules.ts';
import { Sessions, type SessionTimes } from './sessions.ts';
import { SpanRelay } from './span-relay.ts';
import { StepDefinitions } from './step-definitions.ts';
import { StepSkips } from './step-skips.ts';
import type { Store } from './store-port.ts';
import { Submissions } from './submissions.ts';
import { Sweeper } from './sweeper.ts';
import { type CountedWaits, WaitCounts } from './wait-counts.ts';
import { Approvals } from './wait-jobs/approvals.ts';
import { WaitJobs } from './wait-jobs/wait-jobs.ts';
import { Waits } from './waits.ts';
import { Watches } from './watches.ts';
import { Workers } from './workers.ts';
import { WorkflowReader } from './workflow-reads.ts';
import { WorkflowRetries } from './workflow-retries.ts';
import type { CacheLooks } from './workflows/cached-steps.ts';
import { Workflows } from './workflows/workflows.ts';

/** That are looked at for a page of a list, however few of them match. */
const RECORDS_A_PAGE = 10_000;

export interface ReplicaParts {
  readonly store: Store;
  readonly bus: Bus;
  readonly schemas: Schemas;
  readonly clock: Clock;
  readonly dbClock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly times: SessionTimes;
  /** Undefined: it sends no spans. */
  readonly tracing?: Tracing | undefined;
  /** Told of each call that finds a queue full. */
  readonly onQueueFull?: (queue: QueueName, bound: BacklogBound) => void;
  /** Told how often steps of workflows have looked for results of earlier jobs. */
  readonly onCacheLooks?: (looks: CacheLooks) => void;
  /** How the store writes a failure. */
  readonly failureText: (failure: Failure) => string;
}

export interface Replica {
  readonly definitions: Definitions;
  readonly submissions: Submissions;
  readonly sessions: Sessions;
  readonly reports: Reports;
  readonly cancels: Cancels;
  readonly holds: Holds;
  readonly breakers: Breakers;
  readonly queues: Queues;
  readonly retries: Retries;
  readonly schedules: Schedules;
  readonly batches: Batches;
  readonly batchRetries: BatchRetries;
  readonly waitJobs: WaitJobs;
  readonly approvals: Approvals;
  readonly dependencies: Dependencies;
  readonly erasures: Erasures;
  readonly explanations: Explanations;
  readonly logs: AttemptLogs;
  readonly logWatches: LogWatches;
  readonly waits: Waits;
  readonly handlerWaits: HandlerWaits;
  readonly watches: Watches;
  readonly eventWatches: EventWatches;
  readonly workers: Workers;
  readonly workflowReader: WorkflowReader;
  readonly stepSkips: StepSkips;
  /** What people did by hand, newest first. */
  listAudit(query: AuditQuery): Promise<AuditRecord[]>;
  /** Largest input, result or checkpoint, in bytes. */
  readonly maxPayload: number;
  readonly definitionChanges: DefinitionChanges;
  readonly namespaces: Namespaces;
  /** Attempts that sessions have asked for here, and not been given yet. */
  parkedPlaces(): { readonly slots: number; readonly prefetch: number };
  /** What the jobs of each queue wait for, of the whole deployment. */
  countWaits(): Promise<CountedWaits[]>;
  getJob(namespace: string, jobId: string): Promise<JobView>;
  /** A page of the jobs that match, newest first; `beforeJobId` is where the page before it ended. */
  listJobs(query: Omit<JobQuery, 'scanLimit'>): Promise<JobPage>;
  /** What page tokens are signed with. */
  pageTokenKey(): Promise<Uint8Array>;
  /** Reads the database's clock and makes today's partitions; before it the replica can't make job ids. */
  prepare(): Promise<void>;
  /** Once the API listens. */
  start(): void;
  /** Stops dispatching and sweeping and lets waiting callers go; what is under way finishes. */
  stop(): Promise<void>;
}

export function createReplica(parts: ReplicaParts): Replica {
  const { store, bus, schemas, clock, dbClock, timers, random, log, times, tracing } = parts;
  const sampling = tracing?.sampling;
  const ids = new JobIds(dbClock, random);
  const definitions = new Definitions(store, clock);
  const lanes = new Lanes(store, definitions);
  const credits = new ParkedCredits(clock);
  const reads = new JobReads({ store, timers, random });
  const readJob = (namespace: string, jobId: string) => reads.readJob(namespace, jobId);
  const waits = new Waits({ store: { readJob, findEnded: (jobIds) => store.findEnded(jobIds) }, timers, log });
  const watches = new Watches({ reads, store, timers, log });
  const spans = tracing && new SpanRelay({ store, lanes, log, ...tracing });
  const relay = new EventRelay({ outbox: store.outbox, events: bus.events, lanes, spans, timers, random, clock, log });
  const eventWatches = new EventWatches(bus.events);
  const announcer = new Announcer();
  const rooms = new Rooms({ store, lanes, credits, bus, timers, onRoom: () => dispatcher.wake() });
  const limits = new Limits({ store, lanes, bus, dbClock, timers, log, announcer, onRoom: () => dispatcher.wake() });
  const onWake = () => {
    workflows.look();
    waitJobs.look();
  };
  const dispatcher = new Dispatcher({ store, limits, rooms, lanes, credits, bus, log, sampling, onWake });
  const breakers = new Breakers({ store, timers, random, log, announcer });
  const probes = new Probes({ store, lanes, credits, dispatcher, limits, log, announcer });
  const onFailures = (failures: LaneFailures) => breakers.count(failures);
  const changes = new Changes({ store, lanes, ids, clock: dbClock, timers, random, sampling, announcer, onFailures });
  const loadLanes = (laneIds: readonly number[]) => lanes.load(laneIds);
  const saveAndRead = {
    readJob,
    saveLogs: (all: readonly AttemptLog[]) => store.saveLogs(all),
    readLogs: (query: LogQuery) => store.readLogs(query),
  };
  const logWatches = new LogWatches({ watches, store: saveAndRead, bus, timers });
  const onStored = (jobIds: readonly string[]) => {
    logWatches.notify(jobIds);
    bus.announce({ kind: 'logged', jobIds });
  };
  const logs = new AttemptLogs({ store: saveAndRead, timers, random, log, onStored });
  const sessions = new Sessions({
    store,
    logs,
    changes,
    credits,
    dispatcher,
    bus,
    times,
    timers,
    random,
    log,
    loadLanes,
  });
  const sweeper = new Sweeper({
    store,
    sessions,
    changes,
    dispatcher,
    probes,
    limits,
    rooms,
    bus,
    dbClock,
    clock,
    timers,
    random,
    log,
    leaseMs: times.leaseMs,
  });
  let pageTokenKey: Uint8Array | undefined;
  const retention = new Retention({ store, timers, log });
  bus.onHint((hint) => {
    if (hint.kind === 'ready') dispatcher.hint(hint.lanes);
    if (hint.kind === 'ended') for (const told of [waits, watches]) told.notify(hint.jobIds);
    if (hint.kind === 'logged') logWatches.notify(hint.jobIds);
    if (hint.kind === 'freed') limits.heard(hint.laneIds);
    if (hint.kind === 'freedKeys') limits.heardKeys(hint.limitIds);
    if (hint.kind === 'freedRoom') rooms.heard(hint.sessionIds);
  });
  const cancels = new Cancels({ store: { readJob }, changes, ids, bus, random });
  const releases = new Releases({ store, changes, cancels, lanes, timers, log });
  const cancel = (namespace: string, jobId: string, reason: string) => cancels.cancelIfOpen(namespace, jobId, reason);
  const backlogs = new Backlogs({ store, clock, dbClock, timers, log });
  const { onQueueFull = () => {} } = parts;
  const submissions = new Submissions({
    store,
    admission: new Admission({ store, backlogs, clock: dbClock, onQueueFull }),
    definitions,
    schemas,
    lanes,
    dispatcher,
    ids,
    limits,
    clock: dbClock,
    ...{ timers, random, sampling, announcer },
    cancel,
  });
  const workflows = new Workflows({
    store,
    definitions,
    lanes,
    ids,
    schemas,
    maxPayload: bus.maxUserPayload,
    clock: dbClock,
    sampling,
    changes,
    cancels,
    dispatcher,
    timers,
    random,
    log,
    announcer,
    onCacheLooks: parts.onCacheLooks,
  });
  const maxPayload = bus.maxUserPayload;
  const waitJobs = new WaitJobs({ store, definitions, schemas, maxPayload, changes, lanes, timers, random, log });
  const workers = new Workers({ store, sessions, bus });
  const getJob = async (namespace: string, jobId: string) => {
    const job = await readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    return job;
  };
  const openSessions = new OpenSessions({ store, workers, dbClock });
  const search = new DeadlockSearch({ store, lanes, limits, sessions: openSessions });
  const handlerWaits = new HandlerWaits({ store: store.deadlocks, search, waits, clock, timers, random, log });
  const waitCounts = new WaitCounts({ store, lanes, limits });
  const workflowReader = new WorkflowReader({ store: store.workflowReads, definitions, clock: dbClock, getJob });
  const rounds = new ScheduleRounds({ store, submissions, clock: dbClock, timers, random, log, cancel });
  const batchParts = {
    store: { ...store, readJob },
    submissions,
    definitions,
    lanes,
    ids,
    clock: dbClock,
    timers,
    random,
    log,
    announcer,
  };
  const batches = new Batches(batchParts);
  const batchRetries = new BatchRetries({ ...batchParts, batches });
  announcer.subscribe({
    dueUs: (dueUs) => sweeper.dueAt(dueUs),
    outbox: () => relay.wake(),
    freed: (freed) => {
      limits.freed(freed);
      rooms.freed(freed);
    },
    ready: (hints) => {
      dispatcher.hint(hints);
      bus.announce({ kind: 'ready', lanes: hints });
    },
    changed: (jobIds) => {
      watches.notify(jobIds);
      probes.notify(jobIds);
    },
    ended: (jobIds) => {
      for (const part of [waits, watches, probes]) part.notify(jobIds);
      bus.announce({ kind: 'ended', jobIds });
    },
    workflows: (jobIds) => workflows.wake(jobIds),
    dependencies: () => releases.wake(),
  });
  const submitting = [rounds, workflows, waitJobs, releases, batchRetries];
  return {
    definitions,
    submissions,
    sessions,
    logs,
    logWatches,
    reports: new Reports({
      store,
      logs,
      resultChecks: new ResultChecks({ store, lanes, definitions, schemas }),
      sessions,
      changes,
      credits,
      timers,
      random,
      announcer,
      failureText: parts.failureText,
    }),
    cancels,
    breakers,
    holds: new Holds({ store: { readJob }, changes, random }),
    queues: new Queues({ store, timers, random, backlogs, announcer }),
    retries: new Retries({
      store: { ...store, readJob },
      submissions,
      workflows: new WorkflowRetries({ workflows: store.workflows, definitions, ids }),
    }),
    schedules: new Schedules({ store, submissions, clock: dbClock, timers, random, lookNow: () => rounds.lookNow() }),
    batches,
    batchRetries,
    waitJobs,
    approvals: new Approvals({ store: { readJob }, changes, definitions, schemas }),
    dependencies: new Dependencies({ store, readJob, changes, lanes, random }),
    erasures: new Erasures({ store: { readJob, eraseJob: (erasure) => store.eraseJob(erasure) }, ids }),
    waits,
    handlerWaits,
    watches,
    eventWatches,
    explanations: new Explanations({
      store: store.explain,
      deadlocks: search,
      waits: store.waits,
      dependencies: store.dependencies,
      getJob,
      sessions: openSessions,
      ...{ lanes, limits, credits, clock, timers, random },
    }),
    workers,
    workflowReader,
    listAudit: store.listAudit,
    stepSkips: new StepSkips({ store, reader: workflowReader, ids, timers, random, announcer }),
    maxPayload: bus.maxUserPayload,
    definitionChanges: new DefinitionChanges({
      definitions,
      steps: new StepDefinitions(definitions, timers),
      schemas,
      store,
    }),
    namespaces: new Namespaces(store),
    parkedPlaces: () => credits.totals(),
    countWaits: () => waitCounts.read(),
    getJob,
    listJobs: (query) => store.listJobs({ ...query, scanLimit: RECORDS_A_PAGE }),
    async pageTokenKey() {
      pageTokenKey ??= await store.readPageTokenKey();
      return pageTokenKey;
    },
    async prepare() {
      await dbClock.refresh(store);
      await store.ensurePartitions();
      await backlogs.refresh();
    },
    start() {
      for (const part of [sweeper, retention, relay, backlogs, ...submitting]) part.start();
    },
    async stop() {
      // Its submissions go through what is stopped next.
      for (const part of [...submitting, handlerWaits]) await part.stop();
      for (const part of [dispatcher, waits, watches, eventWatches]) part.stop();
      await Promise.all([sweeper, probes, limits, rooms, retention, relay, backlogs].map((part) => part.stop()));
    },
  };
}
