/** Exit codes of `muster`, which scripts can distinguish. */
import { Code, JobState } from '@muster-jobs/sdk/grpc';

export const Exit = {
  OK: 0,
  UNEXPECTED: 1,
  USAGE: 2,
  NOT_FOUND: 3,
  CONFLICT: 4,
  UNAVAILABLE: 5,
  TIME_UP: 6,
  DENIED: 7,
  UNSUPPORTED: 8,
  JOB_FAILED: 10,
  JOB_CANCELLED: 11,
  JOB_EXPIRED: 12,
  JOB_SKIPPED: 13,
  WARNINGS: 20,
  ERRORS: 21,
  CASES_FAILED: 22,
  INTERRUPTED: 130,
  TERMINATED: 143,
} as const;

export const EXIT_CODES_HELP = `Exit codes:
  0    success
  1    an unexpected error, most likely a bug in Muster
  2    wrong usage, or a value that was refused: the message names the option or field
  3    there is no such job, definition, queue or worker
  4    the current state does not allow it: the job has ended, the key is in use, someone else changed it first
  5    Muster can't be reached, is overloaded, or took too long to answer: try again
  6    the time of --timeout has passed; the job continues
  7    not allowed
  8    this server does not support it
  10   the job that was waited for FAILED
  11   … was CANCELLED
  12   … EXPIRED
  13   … was SKIPPED
  20   muster doctor found warnings
  21   muster doctor found errors, or muster verify faults
  22   a case of muster conformance failed
  130  ended by Ctrl-C; jobs continue
  143  ended by SIGTERM; jobs continue
`;

const BY_CODE: Readonly<Record<number, number>> = {
  [Code.INVALID_ARGUMENT]: Exit.USAGE,
  [Code.OUT_OF_RANGE]: Exit.USAGE,
  [Code.NOT_FOUND]: Exit.NOT_FOUND,
  [Code.ALREADY_EXISTS]: Exit.CONFLICT,
  [Code.FAILED_PRECONDITION]: Exit.CONFLICT,
  [Code.ABORTED]: Exit.CONFLICT,
  [Code.UNAVAILABLE]: Exit.UNAVAILABLE,
  [Code.RESOURCE_EXHAUSTED]: Exit.UNAVAILABLE,
  [Code.DEADLINE_EXCEEDED]: Exit.UNAVAILABLE,
  [Code.PERMISSION_DENIED]: Exit.DENIED,
  [Code.UNAUTHENTICATED]: Exit.DENIED,
  [Code.UNIMPLEMENTED]: Exit.UNSUPPORTED,
};

/** The exit code for a call that failed with this status and reason. */
export function exitOfStatus(code: number, reason: string): number {
  // The server is not overloaded: retrying at once does not help.
  if (reason === 'LIMIT_REACHED') return Exit.CONFLICT;
  return BY_CODE[code] ?? Exit.UNEXPECTED;
}

/** The exit code for the job that was waited for; if it has not ended, the timeout has passed. */
export function exitOfJob(state: JobState): number {
  switch (state) {
    case JobState.SUCCEEDED:
      return Exit.OK;
    case JobState.FAILED:
      return Exit.JOB_FAILED;
    case JobState.CANCELLED:
      return Exit.JOB_CANCELLED;
    case JobState.EXPIRED:
      return Exit.JOB_EXPIRED;
    case JobState.SKIPPED:
      return Exit.JOB_SKIPPED;
    default:
      return Exit.TIME_UP;
  }
}
