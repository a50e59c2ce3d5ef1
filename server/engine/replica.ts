/** One replica's engine: each capability makes its own parts, from the ports and from parts of others. */
import { Announcer } from './announcer.ts';
import type { EnginePorts, ReplicaPorts } from './base/engine-ports.ts';
import { JobIds } from './base/job-ids.ts';
import { readOnce } from './base/read-once.ts';
import { type BatchesApi, createBatches } from './batches/create.ts';
import { createDefinitions, type DefinitionsApi } from './definitions/create.ts';
import { createDependencies, type DependenciesApi } from './dependencies/create.ts';
import { createDispatch, type DispatchApi } from './dispatch/create.ts';
import { createEvents, type EventsApi } from './events/create.ts';
import { createExplain, type ExplainApi } from './explain/create.ts';
import { createJobChanges, createJobReads, createSubmissions, type JobsApi } from './jobs/create.ts';
import { createNamespaces, type NamespacesApi } from './namespaces/create.ts';
import { createQueues, type QueuesApi } from './queues/create.ts';
import { createRetries, type RetriesApi } from './retries/create.ts';
import { createSchedules, type SchedulesApi } from './schedules/create.ts';
import { createSessions, type SessionsApi } from './sessions/create.ts';
import { createSignals, type SignalsApi } from './signals/create.ts';
import { createUpkeep, type UpkeepApi } from './upkeep/create.ts';
import { createWorkflows, type WorkflowsApi } from './workflows/create.ts';

export interface Replica
  extends JobsApi,
    DispatchApi,
    SessionsApi,
    RetriesApi,
    DefinitionsApi,
    QueuesApi,
    WorkflowsApi,
    BatchesApi,
    SignalsApi,
    DependenciesApi,
    SchedulesApi,
    ExplainApi,
    EventsApi,
    NamespacesApi,
    UpkeepApi {
  /** Max size of an input, result or checkpoint, in bytes. */
  readonly maxPayload: number;
  /** The key that signs page tokens. */
  pageTokenKey(): Promise<Uint8Array>;
  /** Reads the database's clock, listens to other replicas, makes the days' partitions. No job ids before it. */
  prepare(): Promise<void>;
  /** Call it once the API listens. */
  start(): void;
  /** Stops dispatching and sweeping and ends the waits of callers; running work finishes. */
  stop(): Promise<void>;
}

type Parts = ReturnType<typeof createParts>;

/** The order of the calls is the order in which the announcer notifies the parts of a fact. */
function createParts(ports: EnginePorts) {
  const reads = createJobReads(ports);
  const definitions = createDefinitions(ports);
  const queues = createQueues(ports);
  const dispatch = createDispatch(ports, definitions);
  const retries = createRetries(ports, dispatch);
  const changes = createJobChanges(ports, { ...reads, ...dispatch, ...retries });
  const submissions = createSubmissions(ports, { ...definitions, ...queues, ...dispatch, ...reads, ...changes });
  const core = { ...definitions, ...queues, ...dispatch, ...retries, ...reads, ...changes, ...submissions };
  const sessions = createSessions(ports, core);
  return {
    ...core,
    ...sessions,
    ...createWorkflows(ports, core),
    ...createBatches(ports, core),
    ...createSignals(ports, core),
    ...createDependencies(ports, core),
    ...createSchedules(ports, core),
    ...createExplain(ports, { ...core, ...sessions }),
    ...createEvents(ports, core),
    ...createNamespaces(ports),
    ...createUpkeep(ports, { ...core, ...sessions }),
  };
}

type Life = Pick<Replica, 'prepare' | 'start' | 'stop'>;

/** Every list is in the order in which its parts are started or stopped. */
function lifeOf(parts: Parts, announcer: Announcer, { store, bus, dbClock }: ReplicaPorts): Life {
  const { dispatcher, limits, capacities, backlogs, sweeper, days, probes, retention, relay, softDeadlines } = parts;
  const { waits, watches, eventWatches, scheduleRounds, triggerRounds } = parts;
  const { workflows, childPauses, signalWaits, releases, batchRetries, rolloutRounds } = parts;
  const submitting = [triggerRounds, scheduleRounds, workflows, childPauses, signalWaits, releases, batchRetries];
  const periodic = [sweeper, softDeadlines, rolloutRounds, days, probes, retention, relay, backlogs];
  const listening = [dispatcher, waits, watches, eventWatches, limits, capacities];
  return {
    async prepare() {
      await dbClock.refresh(store);
      // Not before: a wait that a hint begins takes its time from the clock.
      announcer.connect(bus);
      await days.make();
      await backlogs.refresh();
    },
    start() {
      for (const part of [...periodic, ...submitting]) part.start();
    },
    async stop() {
      // These submit jobs through the parts that are stopped next.
      for (const part of submitting) await part.stop();
      await Promise.all([...listening, ...periodic].map((part) => part.stop()));
    },
  };
}

export function createReplica(given: ReplicaPorts): Replica {
  const { store, bus, dbClock, random, tracing } = given;
  const announcer = new Announcer();
  const ids = new JobIds(dbClock, random);
  const parts = createParts({ ...given, announcer, ids, sampling: tracing?.sampling });
  // Jobs that the engine runs itself are taken first.
  parts.takers.add(parts.workflows, parts.signalWaits, parts.dispatcher);
  return {
    ...parts,
    ...lifeOf(parts, announcer, given),
    maxPayload: bus.maxUserPayload,
    pageTokenKey: readOnce(() => store.readPageTokenKey()),
  };
}
