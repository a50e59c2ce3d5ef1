/** One replica's engine, wired from the ports. */

import type { Failure } from '../domain/base/payload.ts';
import type { BacklogBound } from '../domain/queues/backlog.ts';
import { Announcer } from './announcer.ts';
import type { DbClock } from './base/db-clock.ts';
import { JobIds } from './base/job-ids.ts';
import { BatchRetries } from './batches/batch-retries.ts';
import { Batches } from './batches/batches.ts';
import { DefinitionChanges } from './definitions/definition-changes.ts';
import { Definitions } from './definitions/definitions.ts';
import { Dependencies } from './dependencies/dependencies.ts';
import { Releases } from './dependencies/releases.ts';
import { Capacities } from './dispatch/capacities.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { Lanes } from './dispatch/lanes.ts';
import { Limits } from './dispatch/limits.ts';
import { UnspentCredits } from './dispatch/unspent-credits.ts';
import { EventRelay } from './events/event-relay.ts';
import { EventWatches } from './events/event-watches.ts';
import { SpanRelay } from './events/span-relay.ts';
import { Explanations } from './explain/explanations.ts';
import { Cancels, jobNotFound } from './jobs/change/cancels.ts';
import { Changes } from './jobs/change/changes.ts';
import { Erasures } from './jobs/change/erasures.ts';
import { Pauses } from './jobs/change/pauses.ts';
import { Retries } from './jobs/change/retries.ts';
import { EndWaiters } from './jobs/read/end-waiters.ts';
import { JobReads } from './jobs/read/job-reads.ts';
import { Watches } from './jobs/read/watches.ts';
import { Admission } from './jobs/submit/admission.ts';
import { Submissions } from './jobs/submit/submissions.ts';
import { Namespaces } from './namespaces/namespaces.ts';
import type { JobPage, JobQuery, JobView } from './ports/jobs.ts';
import type { AttemptLog, LogQuery } from './ports/logs.ts';
import type { AuditQuery, AuditRecord } from './ports/namespaces.ts';
import type { Bus, Clock, Log, Random, Schemas, Timers, Tracing } from './ports/ports.ts';
import type { QueueName } from './ports/queues.ts';
import type { CacheLookups } from './ports/step-cache.ts';
import type { Store } from './ports/store.ts';
import type { CountedReasons } from './ports/vitals.ts';
import { Backlogs } from './queues/backlogs.ts';
import { Queues } from './queues/queues.ts';
import { Breakers, type LaneFailures } from './retries/breakers.ts';
import { Probes } from './retries/probes.ts';
import { ScheduleRounds } from './schedules/schedule-rounds.ts';
import { Schedules } from './schedules/schedules.ts';
import { AttemptLogs } from './sessions/attempt-logs.ts';
import { LogWatches } from './sessions/log-watches.ts';
import { OpenSessions } from './sessions/open-sessions.ts';
import { Reports } from './sessions/reports.ts';
import { ResultChecks } from './sessions/result-checks.ts';
import { Sessions, type SessionTimes } from './sessions/sessions.ts';
import { Workers } from './sessions/workers.ts';
import { Approvals } from './signals/approvals.ts';
import { SignalWaits } from './signals/signal-waits.ts';
import { BacklogReasons } from './upkeep/backlog-reasons.ts';
import { retentionLoop } from './upkeep/retention.ts';
import { Sweeper } from './upkeep/sweeper.ts';
import { WorkflowReader } from './workflows/reads.ts';
import { WorkflowRetries } from './workflows/retries.ts';
import { StepDefinitions } from './workflows/steps/definitions.ts';
import { StepSkips } from './workflows/steps/step-skips.ts';
import { Workflows } from './workflows/workflows.ts';

/** Rows scanned per list page, however few of them match. */
const RECORDS_PER_PAGE = 10_000;

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
  /** Called for each call that finds a queue full. */
  readonly onQueueFull?: (queue: QueueName, bound: BacklogBound) => void;
  /** Called with the number of cache lookups by workflow steps. */
  readonly onCacheLookups?: (lookups: CacheLookups) => void;
  /** Renders a failure as the store writes it. */
  readonly failureText: (failure: Failure) => string;
}

export interface Replica {
  readonly definitions: Definitions;
  readonly submissions: Submissions;
  readonly sessions: Sessions;
  readonly reports: Reports;
  readonly cancels: Cancels;
  readonly pauses: Pauses;
  readonly breakers: Breakers;
  readonly queues: Queues;
  readonly retries: Retries;
  readonly schedules: Schedules;
  readonly batches: Batches;
  readonly batchRetries: BatchRetries;
  readonly signalWaits: SignalWaits;
  readonly approvals: Approvals;
  readonly dependencies: Dependencies;
  readonly erasures: Erasures;
  readonly explanations: Explanations;
  readonly logs: AttemptLogs;
  readonly logWatches: LogWatches;
  readonly waits: EndWaiters;
  readonly watches: Watches;
  readonly eventWatches: EventWatches;
  readonly workers: Workers;
  readonly workflowReader: WorkflowReader;
  readonly stepSkips: StepSkips;
  /** Manual changes, newest first. */
  listAudit(query: AuditQuery): Promise<AuditRecord[]>;
  /** Max size of an input, result or checkpoint, in bytes. */
  readonly maxPayload: number;
  readonly definitionChanges: DefinitionChanges;
  readonly namespaces: Namespaces;
  /** Attempts requested by sessions of this replica and not assigned yet. */
  unspentCredits(): { readonly slots: number; readonly prefetch: number };
  /** Counts why jobs wait, per queue, over the whole deployment. */
  countBacklogReasons(): Promise<CountedReasons[]>;
  getJob(namespace: string, jobId: string): Promise<JobView>;
  /** A page of the jobs that match, newest first; `beforeJobId` is the last id of the page before it. */
  listJobs(query: Omit<JobQuery, 'scanLimit'>): Promise<JobPage>;
  /** The key that signs page tokens. */
  pageTokenKey(): Promise<Uint8Array>;
  /** Reads the database's clock and makes today's partitions. The replica can't make job ids before it. */
  prepare(): Promise<void>;
  /** Call it once the API listens. */
  start(): void;
  /** Stops dispatching and sweeping and ends the waits of callers; running work finishes. */
  stop(): Promise<void>;
}

export function createReplica(parts: ReplicaParts): Replica {
  const { store, bus, schemas, clock, dbClock, timers, random, log, times, tracing } = parts;
  const sampling = tracing?.sampling;
  const ids = new JobIds(dbClock, random);
  const definitions = new Definitions(store, clock);
  const lanes = new Lanes(store, definitions);
  const credits = new UnspentCredits(clock);
  const reads = new JobReads({ store, timers, random });
  const readJob = (namespace: string, jobId: string) => reads.readJob(namespace, jobId);
  const waits = new EndWaiters({ store: { ...store, readJob }, timers, random, log });
  const watches = new Watches({ reads, store, timers, random, log });
  const spans = tracing && new SpanRelay({ store, lanes, log, ...tracing });
  const relay = new EventRelay({ outbox: store.outbox, events: bus.events, lanes, spans, timers, random, clock, log });
  const eventWatches = new EventWatches(bus.events);
  const announcer = new Announcer();
  const capacities = new Capacities({ store, lanes, credits, bus, timers, onCapacity: () => dispatcher.wake() });
  const limits = new Limits({
    store,
    lanes,
    bus,
    dbClock,
    timers,
    log,
    announcer,
    onCapacity: () => dispatcher.wake(),
  });
  const onWake = () => {
    workflows.poll();
    signalWaits.poll();
  };
  const dispatcher = new Dispatcher({ store, limits, capacities, lanes, credits, bus, log, sampling, onWake });
  const breakers = new Breakers({ store, timers, random, log, announcer });
  const probes = new Probes({ store, lanes, credits, dispatcher, limits, timers, random, log, announcer });
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
    limits,
    capacities,
    bus,
    dbClock,
    clock,
    timers,
    random,
    log,
    leaseMs: times.leaseMs,
  });
  let pageTokenKey: Uint8Array | undefined;
  const retention = retentionLoop({ store, timers, random, log });
  bus.onHint((hint) => {
    if (hint.kind === 'ready') dispatcher.hint(hint.lanes);
    if (hint.kind === 'ended') for (const listeners of [waits, watches]) listeners.notify(hint.jobIds);
    if (hint.kind === 'logged') logWatches.notify(hint.jobIds);
    if (hint.kind === 'freed') limits.onRemoteRelease(hint.laneIds);
    if (hint.kind === 'freedKeys') limits.onRemoteKeyRelease(hint.limitIds);
    if (hint.kind === 'freedCapacity') capacities.onRemoteRelease(hint.sessionIds);
  });
  const cancels = new Cancels({ store: { readJob }, changes, ids, bus, random });
  const releases = new Releases({ store, changes, cancels, lanes, timers, random, log });
  const cancel = (namespace: string, jobId: string, reason: string) => cancels.cancelIfOpen(namespace, jobId, reason);
  const backlogs = new Backlogs({ store, clock, dbClock, timers, random, log });
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
    onCacheLookups: parts.onCacheLookups,
  });
  const maxPayload = bus.maxUserPayload;
  const signalWaits = new SignalWaits({ store, definitions, schemas, maxPayload, changes, lanes, timers, random, log });
  const workers = new Workers({ store, sessions, bus });
  const getJob = async (namespace: string, jobId: string) => {
    const job = await readJob(namespace, jobId);
    if (!job) throw jobNotFound(namespace, jobId);
    return job;
  };
  const openSessions = new OpenSessions({ store, workers, dbClock });
  const backlogReasons = new BacklogReasons({ store, lanes, limits });
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
      capacities.freed(freed);
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
  const submitting = [rounds, workflows, signalWaits, releases, batchRetries];
  const periodic = [sweeper, probes, retention, relay, backlogs];
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
    pauses: new Pauses({ store: { readJob }, changes, random }),
    queues: new Queues({ store, timers, random, backlogs, announcer }),
    retries: new Retries({
      store: { ...store, readJob },
      submissions,
      workflows: new WorkflowRetries({ workflows: store.workflows, definitions, ids }),
    }),
    schedules: new Schedules({ store, submissions, clock: dbClock, timers, random, scanNow: () => rounds.scanNow() }),
    batches,
    batchRetries,
    signalWaits,
    approvals: new Approvals({ store: { readJob }, changes, definitions, schemas }),
    dependencies: new Dependencies({ store, readJob, changes, lanes, random }),
    erasures: new Erasures({ store: { readJob, eraseJob: (erasure) => store.eraseJob(erasure) }, ids }),
    waits,
    watches,
    eventWatches,
    explanations: new Explanations({
      store: store.explain,
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
    unspentCredits: () => credits.totals(),
    countBacklogReasons: () => backlogReasons.read(),
    getJob,
    listJobs: (query) => store.listJobs({ ...query, scanLimit: RECORDS_PER_PAGE }),
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
      for (const part of [...periodic, ...submitting]) part.start();
    },
    async stop() {
      // These submit jobs through the parts that are stopped next.
      for (const part of submitting) await part.stop();
      const listening = [dispatcher, waits, watches, eventWatches, limits, capacities];
      await Promise.all([...listening, ...periodic].map((part) => part.stop()));
    },
  };
}
