/** User data and failures as the core sees them: opaque bytes, and an error with its chain of causes. */

export interface Payload {
  readonly data: Uint8Array;
  /** Media type; empty when not stated. */
  readonly contentType: string;
  /** Undefined if there is none, so that the common case costs nothing. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export const failureCauses = {
  APPLICATION: 1,
  TIMEOUT: 2,
  LOST_WORKER: 3,
  LEASE_LOST: 4,
  CANCELLED: 5,
  EXPIRED: 6,
  LOST_TOO_OFTEN: 7,
  POISON: 8,
  INTERNAL: 9,
  SESSION_CLOSED: 10,
  INFRASTRUCTURE: 11,
  DEPENDENCY: 12,
} as const;

export type FailureCause = keyof typeof failureCauses;

export interface Failure {
  readonly type: string;
  readonly message: string;
  readonly stackTrace: string;
  readonly failureCause: FailureCause;
  /** The handler says that another attempt cannot help. */
  readonly nonRetryable: boolean;
  /** Delay until the next attempt in ms, set by the handler. */
  readonly retryDelayMs?: number | undefined;
  readonly cause?: Failure | undefined;
  readonly details?: Payload | undefined;
  /** Exit code of the process that the handler ran, 1 to 255; undefined if unknown. */
  readonly exitCode?: number | undefined;
}

/** A failure that Muster itself states. It has neither a stack trace nor details. */
export function systemFailure(failureCause: FailureCause, type: string, message: string): Failure {
  return { type, message, stackTrace: '', failureCause, nonRetryable: false };
}
