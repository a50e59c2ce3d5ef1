/** The closed list of the engine's refusals, and the mapping of store errors to them. */

export type ErrorReason =
  | 'DEFINITION_NOT_FOUND'
  | 'JOB_NOT_FOUND'
  | 'IDEMPOTENCY_CONFLICT'
  | 'DUPLICATE_JOB'
  | 'THROTTLED'
  | 'REQUEST_ID_REUSED'
  | 'INVALID_FIELD'
  | 'JOB_ENDED'
  | 'JOB_NOT_ENDED'
  | 'JOB_NOT_WAITING'
  | 'JOB_NOT_FAILED'
  | 'JOB_NOT_ASSIGNED'
  | 'JOB_ERASED'
  | 'DEFINITION_ARCHIVED'
  | 'WORKFLOW_NESTING'
  | 'NOT_A_WORKFLOW'
  | 'STEP_NOT_FOUND'
  | 'STEP_NOT_SKIPPABLE'
  | 'BATCH_NOT_FOUND'
  | 'BATCH_SEALED'
  | 'BATCH_CANCELLED'
  | 'BATCH_ENDED'
  | 'BATCH_FULL'
  | 'BATCH_RETRIED'
  | 'NOTHING_TO_RETRY'
  | 'JOB_NOT_AWAITING_APPROVAL'
  | 'SIGNALS_FULL'
  | 'DEPENDENCY_CYCLE'
  | 'DEPENDENCY_GRAPH_TOO_LARGE'
  | 'TOO_MANY_DEPENDENCIES'
  | 'PARENT_ATTEMPT_CLOSED'
  | 'TOO_MANY_CHILDREN'
  | 'SESSION_NOT_FOUND'
  | 'SESSION_CLOSED'
  | 'QUEUE_NOT_FOUND'
  | 'QUEUE_EXISTS'
  | 'QUEUE_NOT_EMPTY'
  | 'QUEUE_FULL'
  | 'ETAG_STALE'
  | 'SCHEDULE_NOT_FOUND'
  | 'TRIGGER_NOT_FOUND'
  | 'ROLLOUT_NOT_FOUND'
  | 'ROLLOUT_ENDED'
  | 'INPUT_SCHEMA_VIOLATED'
  | 'CIRCUIT_BREAKER_NOT_FOUND'
  | 'EVENTS_UNAVAILABLE'
  | 'EVENT_POSITION_GONE'
  | 'LEASE_LOST'
  | 'LIMIT_REACHED'
  | 'OVERLOADED'
  | 'STORE_UNAVAILABLE'
  | 'STORE_FULL'
  | 'CONFLICT'
  | 'SHUTTING_DOWN'
  | 'NOT_IMPLEMENTED'
  | 'INTERNAL';

export interface ErrorFacts {
  /** Every variable of the message, for programs. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Path of the field at fault, such as `jobs[3].definition`. */
  readonly field?: string;
  /** Used when several fields are at fault: each with its problem. */
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A refusal that a caller can act on. */
export class EngineError extends Error {
  readonly reason: ErrorReason;
  readonly facts: ErrorFacts;

  constructor(reason: ErrorReason, message: string, facts: ErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.name = 'EngineError';
    this.reason = reason;
    this.facts = facts;
  }
}

/** `world`: an outage, also of names, logins and certificates; the call may be repeated once it is over. */
export type StoreFault = 'data' | 'concurrency' | 'world' | 'bug';

/** Deadlock, serialization failure, lock timeout. */
const concurrency = new Set(['40P01', '40001', '55P03']);
/** Classes of SQLSTATE: bad data, broken constraints, and what our own SQL raises. */
const data = /^(22|23|P0)/;
/**
 * Connections, read-only transactions, logins, a missing database, resources, operator intervention, system errors.
 */
const world = /^(08|25|28|3D|53|57|58)/;
/** Codes of system calls, name look-ups and TLS, as Node has them. */
const network = /^E[A-Z]+$|^EAI_|^ERR_(TLS|SSL|SOCKET)|CERT|SELF_SIGNED|UNABLE_TO_|HOSTNAME_MISMATCH/;

export function storeFault(error: unknown): StoreFault {
  const { code, routine } = error as { code?: unknown; routine?: unknown };
  if (typeof code !== 'string')
    return (error as Error)?.message?.match(/connection|timeout|terminated|stopped|closed/i) ? 'world' : 'bug';
  // A later release has changed the result of a prepared statement. The connection has ended; the next one prepares it.
  if (concurrency.has(code) || (code === '0A000' && routine === 'RevalidateCachedQuery')) return 'concurrency';
  if (data.test(code)) return 'data';
  return world.test(code) || network.test(code) ? 'world' : 'bug';
}

/** Message of `pg` when a whole pool is in use for too long. The work has not begun. */
const NO_CONNECTION = 'timeout exceeded when trying to connect';

/** The database refuses a value itself, such as a number out of range; to store it again is in vain. */
export function isBadData(error: unknown): boolean {
  return /^22/.test(String((error as { code?: unknown }).code));
}

/** Converts an error of the store to a refusal with the fitting reason. */
export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const { code, message } = error as { code?: string; message?: string };
  if (message === NO_CONNECTION) {
    const busy = 'every connection to the database has been busy for a while; try again';
    return new EngineError('OVERLOADED', busy, { cause: error, retryAfterMs: 500 });
  }
  if (code === '53100') return new EngineError('STORE_FULL', 'the database has no space left', { cause: error });
  switch (storeFault(error)) {
    case 'world':
      return new EngineError(
        'STORE_UNAVAILABLE',
        'the database did not answer; whether the call was carried out is not known',
        {
          cause: error,
          retryAfterMs: 200,
        },
      );
    case 'concurrency':
      return new EngineError('CONFLICT', "concurrent changes kept getting in each other's way; try again", {
        cause: error,
        retryAfterMs: 50,
      });
    default:
      return new EngineError('INTERNAL', `unexpected: ${message ?? error}`, { cause: error });
  }
}
