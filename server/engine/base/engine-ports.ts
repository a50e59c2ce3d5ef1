/** The ports of one replica, as `createReplica` gets them and as the capabilities share them. */
import type { Failure } from '../../domain/base/payload.ts';
import type { Sampling } from '../../domain/events/trace.ts';
import type { BacklogBound } from '../../domain/queues/backlog.ts';
import type { Announcer } from '../announcer.ts';
import type { Bus, Clock, Expressions, Log, Random, Schemas, Timers, Tracing } from '../ports/ports.ts';
import type { QueueName } from '../ports/queues.ts';
import type { SessionTimes } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';
import type { CacheLookups } from '../ports/workflows.ts';
import type { DbClock } from './db-clock.ts';
import type { JobIds } from './job-ids.ts';

export interface ReplicaPorts {
  readonly store: Store;
  readonly bus: Bus;
  readonly schemas: Schemas;
  readonly expressions: Expressions;
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

/** The ports, and the parts that all capabilities share. */
export interface EnginePorts extends ReplicaPorts {
  readonly ids: JobIds;
  readonly announcer: Announcer;
  /** Undefined: the control plane adds no spans of its own to the jobs' traces. */
  readonly sampling: Sampling | undefined;
}
