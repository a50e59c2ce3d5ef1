/** All metrics that a replica exports: the source of docs/metrics.md and of the instruments. */

export interface MetricInfo {
  /** Its OpenTelemetry name. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** In UCUM; counted things are in braces. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly description: string;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

/** Seconds, from the latency of a single job to an hour in a backlog. */
const jobSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3_600];
/** The buckets that the RPC conventions recommend, with finer ones below. */
const callSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const rows = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

const ofJobs = ['muster.namespace', 'muster.queue', 'muster.definition'];
const ofQueues = ['muster.namespace', 'muster.queue'];
const ofLimits = ['muster.namespace', 'muster.limit.of', 'muster.limit.name'];

export const metrics = {
  jobsSubmitted: {
    name: 'muster.job.submitted',
    kind: 'counter',
    unit: '{job}',
    labels: ofJobs,
    description: 'Jobs that this replica has stored',
  },
  jobsEnded: {
    name: 'muster.job.ended',
    kind: 'counter',
    unit: '{job}',
    labels: [...ofJobs, 'muster.job.state', 'muster.failure.cause'],
    description: 'Jobs that ended at this replica',
  },
  jobsExhausted: {
    name: 'muster.job.exhausted',
    kind: 'counter',
    unit: '{job}',
    labels: [...ofJobs],
    description: 'Jobs that this replica has paused after their last attempt: each waits for a person',
  },
  softDeadlinesMissed: {
    name: 'muster.job.soft_deadline.missed',
    kind: 'counter',
    unit: '{job}',
    labels: [...ofJobs],
    description: 'Jobs that this replica has found to have missed their soft deadlines',
  },
  jobWait: {
    name: 'muster.job.wait.duration',
    kind: 'histogram',
    unit: 's',
    labels: ofJobs,
    description: "From a job's submission, or the time it was delayed to, until its first attempt is assigned",
    buckets: jobSeconds,
  },
  attemptDuration: {
    name: 'muster.job.attempt.duration',
    kind: 'histogram',
    unit: 's',
    labels: [...ofJobs, 'muster.attempt.outcome'],
    description: 'From the assignment of an attempt until it is closed',
    buckets: jobSeconds,
  },
  jobDuration: {
    name: 'muster.job.duration',
    kind: 'histogram',
    unit: 's',
    labels: [...ofJobs, 'muster.job.state'],
    description: "From a job's submission until its end",
    buckets: jobSeconds,
  },
  queueJobs: {
    name: 'muster.queue.jobs',
    kind: 'gauge',
    unit: '{job}',
    labels: [...ofQueues, 'muster.queue.jobs.state'],
    description: 'Open jobs of a queue, of the whole deployment',
  },
  waitingJobs: {
    name: 'muster.queue.waiting_jobs',
    kind: 'gauge',
    unit: '{job}',
    labels: [...ofQueues, 'muster.wait.reason'],
    description:
      'Jobs of a queue that wait, by what they wait for, of the whole deployment; without any there is no line',
  },
  queueAge: {
    name: 'muster.queue.oldest_ready.age',
    kind: 'gauge',
    unit: 's',
    labels: ofQueues,
    description: 'How long the job that is next in a queue has been ready; 0: none is',
  },
  queuePaused: {
    name: 'muster.queue.paused',
    kind: 'gauge',
    unit: '{queue}',
    labels: ofQueues,
    description: '1 while a queue is paused, else 0',
  },
  limitConcurrency: {
    name: 'muster.limit.concurrency',
    kind: 'gauge',
    unit: '{job}',
    labels: ofLimits,
    description: 'Jobs of a queue or of a definition that workers may hold at once, where that is limited',
  },
  limitInUse: {
    name: 'muster.limit.in_use',
    kind: 'gauge',
    unit: '{job}',
    labels: ofLimits,
    description: 'Permits of such a limit that are taken, as assignments under it count them',
  },
  limitHolders: {
    name: 'muster.limit.holders',
    kind: 'gauge',
    unit: '{job}',
    labels: ofLimits,
    description: 'Jobs that workers hold under such a limit, counted one by one: as many as permits are taken',
  },
  cacheLookups: {
    name: 'muster.step_cache.lookups',
    kind: 'counter',
    unit: '{step}',
    labels: ['muster.step_cache.result'],
    description: 'Steps of workflows for which this replica has looked for the result of an earlier job',
  },
  submissionsRefused: {
    name: 'muster.submission.refused',
    kind: 'counter',
    unit: '{call}',
    labels: [...ofQueues, 'muster.queue.bound'],
    description: 'Submissions that this replica has refused because their queue was full',
  },
  sessions: {
    name: 'muster.worker.sessions',
    kind: 'gauge',
    unit: '{session}',
    labels: ['muster.session.condition'],
    description: 'Open worker sessions of the whole deployment',
  },
  slots: {
    name: 'muster.worker.slots',
    kind: 'gauge',
    unit: '{slot}',
    labels: [],
    description: 'Attempts that all open sessions together can run at once',
  },
  credits: {
    name: 'muster.credit.parked',
    kind: 'gauge',
    unit: '{attempt}',
    labels: ['muster.credit.kind'],
    description: 'Attempts that sessions have asked this replica for and not been given yet',
  },
  sessionsOpened: {
    name: 'muster.worker.session.opened',
    kind: 'counter',
    unit: '{session}',
    labels: [],
    description: 'Sessions that this replica has opened',
  },
  sessionsClosed: {
    name: 'muster.worker.session.closed',
    kind: 'counter',
    unit: '{session}',
    labels: ['muster.session.cause'],
    description: 'Sessions that this replica has closed',
  },
  heartbeats: {
    name: 'muster.worker.heartbeats',
    kind: 'counter',
    unit: '{heartbeat}',
    labels: ['muster.heartbeat.result'],
    description: 'Heartbeats that this replica has received',
  },
  assignmentsSent: {
    name: 'muster.assignment.sent',
    kind: 'counter',
    unit: '{assignment}',
    labels: ['muster.assignment.source'],
    description: 'Attempts that this replica has handed to sessions',
  },
  assignmentsRefused: {
    name: 'muster.assignment.refused',
    kind: 'counter',
    unit: '{assignment}',
    labels: ['muster.release.reason'],
    description: 'Attempts that sessions gave back to this replica without starting them',
  },
  lateReports: {
    name: 'muster.report.late',
    kind: 'counter',
    unit: '{report}',
    labels: ['muster.attempt.outcome'],
    description: 'Results that this replica has refused because their attempts had been closed',
  },
  flushDuration: {
    name: 'muster.store.flush.duration',
    kind: 'histogram',
    unit: 's',
    labels: ['muster.flush.kind', 'error.type'],
    description: 'Time that the database took for a group of rows',
    buckets: callSeconds,
  },
  flushRows: {
    name: 'muster.store.flush.rows',
    kind: 'histogram',
    unit: '{row}',
    labels: ['muster.flush.kind'],
    description: 'Rows that were written as one group',
    buckets: rows,
  },
  callDuration: {
    name: 'rpc.server.call.duration',
    kind: 'histogram',
    unit: 's',
    labels: ['rpc.system.name', 'rpc.method', 'rpc.response.status_code', 'error.type'],
    description: 'Duration of incoming calls; of a stream, from its beginning to its end',
    buckets: callSeconds,
  },
  databaseUp: {
    name: 'muster.database.up',
    kind: 'gauge',
    unit: '{database}',
    labels: [],
    description: '1 if the database answers this replica, else 0',
  },
  busUp: {
    name: 'muster.bus.up',
    kind: 'gauge',
    unit: '{bus}',
    labels: [],
    description: "1 if this replica's messages come back over the bus, else 0",
  },
  oldestSnapshot: {
    name: 'muster.database.oldest_snapshot.age',
    kind: 'gauge',
    unit: 's',
    labels: [],
    description: 'Age of the oldest transaction that keeps dead rows from being cleared away; 0: there is none',
  },
  daysAhead: {
    name: 'muster.database.days_ahead',
    kind: 'gauge',
    unit: '{day}',
    labels: [],
    description: 'Coming days whose partitions are made: 7, or 6 in the first hour of a day',
  },
  tableRows: {
    name: 'muster.database.table.rows',
    kind: 'gauge',
    unit: '{row}',
    labels: ['muster.table', 'muster.row.state'],
    description: "Rows of the tables that change with each job, as the database's statistics estimate them",
  },
  cpuTime: {
    name: 'process.cpu.time',
    kind: 'counter',
    unit: 's',
    labels: ['cpu.mode'],
    description: 'Processor time of the process',
  },
  memory: {
    name: 'process.memory.usage',
    kind: 'gauge',
    unit: 'By',
    labels: [],
    description: 'Memory of the process that is in RAM',
  },
  uptime: {
    name: 'process.uptime',
    kind: 'gauge',
    unit: 's',
    labels: [],
    description: 'Time since the process has started',
  },
  fileDescriptors: {
    name: 'process.unix.file_descriptor.count',
    kind: 'gauge',
    unit: '{file_descriptor}',
    labels: [],
    description: 'Files and connections that the process has open; on Linux only',
  },
  eventLoop: {
    name: 'nodejs.eventloop.time',
    kind: 'counter',
    unit: 's',
    labels: ['nodejs.eventloop.state'],
    description: 'Time that the event loop was active and idle',
  },
  heap: {
    name: 'v8js.memory.heap.used',
    kind: 'gauge',
    unit: 'By',
    labels: ['v8js.heap.space.name'],
    description: 'Heap of V8 in use',
  },
  clockSteps: {
    name: 'muster.database.clock.steps',
    kind: 'counter',
    unit: '{step}',
    labels: [],
    description: "Steps of the database's clock that this replica has seen, by more than a second",
  },
  historyChanges: {
    name: 'muster.database.history.changes',
    kind: 'counter',
    unit: '{change}',
    labels: [],
    description:
      'Changes of the history of PostgreSQL, by a promotion or a restore, after which this process started anew',
  },
  logLinesDropped: {
    name: 'muster.log.dropped',
    kind: 'counter',
    unit: '{line}',
    labels: [],
    description: 'Lines of the log that were dropped, because it was full or was not read',
  },
  build: {
    name: 'muster.build.info',
    kind: 'gauge',
    unit: '{build}',
    labels: ['muster.version', 'muster.protocol_version'],
    description: 'Always 1; its labels say what runs',
  },
} as const satisfies Readonly<Record<string, MetricInfo>>;

/** Bounds for label values that come from user-chosen names. */
export const mostNames = {
  /** Combinations of namespace, queue and definition. */
  jobs: 100,
  /** Queues: those with the most open jobs, and those that were full. */
  queues: 200,
  /** Concurrency limits. */
  limits: 200,
} as const;

/** Stands for all names beyond the bound. */
export const OTHER = 'other';
