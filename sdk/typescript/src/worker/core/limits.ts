/** The numbers of the dispatch protocol on the worker's side. Times are in milliseconds. */

/** How long a credit lives on the worker's clock, counted from before it is sent. */
export const CREDIT_LIFE = 15_000;
/** At a beat, unused credits with less than this left are voided and replaced. */
export const CREDIT_REPLACE_BELOW = 8_000;
/** How long an accepted attempt may wait for a place. */
export const PREFETCH_WAIT = 1_000;
/** The depth of the prefetch is the number of handlers that ended in this time ... */
export const PREFETCH_WINDOW = 200;
/** ... but never more than this. */
export const MAX_PREFETCH = 4_000;
/** Attempts that a session may hold; a heartbeat lists them all. */
export const MAX_HELD = 10_000;
/** Handlers that a worker may run at once. */
export const MAX_SLOTS = 10_000;
/** Spent credits whose attempts are remembered: enough for the duplicates that a bus makes, and bounded. */
export const MAX_SPENT_CREDITS = 1_000;

/** How long a cancel is remembered for an attempt that has not arrived. */
export const CANCEL_MEMORY = 15_000;
/** Cancels that are remembered at once; the oldest goes first. */
export const MAX_CANCELS = 10_000;

/** The worker gives its lease up this long before the server does. */
export const FENCE_MARGIN = 2_000;
/** What a handler gets between the signal of its run timeout and the report of it. */
export const RUN_TIMEOUT_GRACE = 5_000;
/** The run timeout of an assignment that states none. */
export const DEFAULT_RUN_TIMEOUT = 3_600_000;
/** The longest that a handler may run, with all that it asks for. */
export const MAX_RUN_TIME = 30 * 24 * 3_600_000;

/** Heartbeats that may wait for their answer at once. */
export const MAX_BEATS_IN_FLIGHT = 4;
/** Least time between heartbeats that nothing urgent asks for: the server refuses more than 20 a second. */
export const MIN_BEAT_GAP = 60;
/** Changed progress is sent within this time. */
export const PROGRESS_DELAY = 1_000;
/** Heartbeats that may fail with a checkpoint before the report of its attempt waits for it no longer. */
export const CHECKPOINT_TRIES = 3;
/** A log record waits this long for others to come along ... */
export const LOG_DELAY = 10;
/** ... is sent no sooner than this after the last heartbeat ... */
export const LOG_GAP = 200;
/** ... or than this many times as long as the last heartbeat took to be answered, and within `PROGRESS_DELAY` at the latest. */
export const LOG_GAP_ROUND_TRIPS = 10;
/** Places that became free without a report are offered within this time. */
export const OFFER_DELAY = 100;
/** After a broken connection, workers beat at random times within this one. */
export const RECONNECT_SPREAD = 500;
/** A new subscription is given this long to bring a ping before it is given up for another one. */
export const HEARING_TIME = 1_000;
/** Progress, checkpoints and log records that one heartbeat carries, in bytes ... */
export const MAX_UPDATE_BYTES = 2 * 1024 * 1024;
/** ... and of how many attempts. */
export const MAX_UPDATES = 1_000;

/** Log records of an attempt that wait to be sent; the oldest are dropped beyond that. */
export const MAX_LOG_BYTES = 64 * 1024;
/** Message and fields of one log record, in UTF-8. */
export const MAX_LOG_LINE_BYTES = 8 * 1024;
/** Fields of one log record. */
export const MAX_LOG_FIELDS = 32;

/** Reports in one call. */
export const MAX_REPORTS = 1_000;
/** Bytes of reports in one call; a single report may be larger. */
export const MAX_REPORT_BYTES = 3 * 1024 * 1024;
/** Report calls that may be under way at once. */
export const MAX_REPORT_CALLS = 2;
/** A second call waits until this many reports are pending: smaller ones only cost both sides. */
export const SECOND_CALL_FROM = 100;
/** With more reports than this pending, no credit is granted ... */
export const MAX_PENDING_REPORTS = 5_000;
/** ... nor with more bytes of them. */
export const MAX_PENDING_REPORT_BYTES = 32 * 1024 * 1024;
/** Longest wait for an answer to a report; the report is sent again after it. */
export const REPORT_TIMEOUT = 10_000;

/** Longest wait for an answer to OpenSession. */
export const OPEN_TIMEOUT = 10_000;
/** A repeat of OpenSession is the same request for this long; later ones ask for a session of their own. */
export const OPEN_REQUEST_LIFE = 5_000;
/** Longest wait for an answer to CloseSession. */
export const CLOSE_TIMEOUT = 2_000;

/** Upper bound of the first wait after a failed call ... */
export const MIN_BACKOFF = 100;
/** ... and of every later one; waits double in between. */
export const MAX_BACKOFF = 2_000;
/** Upper bound of the wait after a heartbeat that failed; what the server asks for comes on top. */
export const BEAT_RETRY = 1_000;
/** A session that is lost within this time is followed by another one only after a while of about the same length. */
export const SHORT_SESSION = 1_000;
