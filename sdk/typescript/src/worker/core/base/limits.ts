/** Constants of the dispatch protocol on the worker's side. Times are in milliseconds. */

/** Life of a credit on the worker's clock, counted from before it is sent. */
export const CREDIT_LIFE = 15_000;
/** A heartbeat voids and replaces unspent credits with less remaining life than this. */
export const CREDIT_REPLACE_BELOW = 8_000;
/** Maximum time that an accepted attempt waits for a slot. */
export const PREFETCH_WAIT = 1_000;
/** The depth of the prefetch is the number of handlers that ended in this time ... */
export const PREFETCH_WINDOW = 200;
/** ... up to this maximum. */
export const MAX_PREFETCH = 4_000;
/** Maximum number of attempts that a session holds; each heartbeat lists all of them. */
export const MAX_HELD = 10_000;
/** Maximum number of slots of a worker. */
export const MAX_SLOTS = 10_000;
/** Maximum number of spent credits whose attempts are remembered: enough for the duplicates of a bus. */
export const MAX_SPENT_CREDITS = 1_000;

/** How long a cancel is remembered for an attempt that has not arrived. */
export const CANCEL_MEMORY = 15_000;
/** Maximum number of remembered cancels; the oldest is dropped first. */
export const MAX_CANCELS = 10_000;

/** The worker gives up its lease this much earlier than the server does. */
export const FENCE_MARGIN = 2_000;
/** Time for a handler between the signal of its run timeout and the report. */
export const RUN_TIMEOUT_GRACE = 5_000;
/** Run timeout of an assignment that states none. */
export const DEFAULT_RUN_TIMEOUT = 3_600_000;
/** Maximum run time of a handler, all extensions included. */
export const MAX_RUN_TIME = 30 * 24 * 3_600_000;

/** Maximum number of unanswered heartbeats. */
export const MAX_BEATS_IN_FLIGHT = 4;
/** Minimum gap between non-urgent heartbeats: the server refuses more than 20 per second. */
export const MIN_BEAT_GAP = 60;
/** Changed progress is sent within this time. */
export const PROGRESS_DELAY = 1_000;
/** After this many failed heartbeats with a checkpoint, the report of its attempt no longer waits for it. */
export const CHECKPOINT_TRIES = 3;
/** A log record waits this long for further records ... */
export const LOG_DELAY = 10;
/** ... and is sent no sooner than this after the last heartbeat ... */
export const LOG_GAP = 200;
/** ... or than this multiple of the last heartbeat's round trip, but no later than `PROGRESS_DELAY`. */
export const LOG_GAP_ROUND_TRIPS = 10;
/** Slots that became free without a report are granted within this time. */
export const OFFER_DELAY = 100;
/** After a broken connection, workers beat at random times within this interval. */
export const RECONNECT_SPREAD = 500;
/** A new subscription gets this long to deliver a ping before it may be replaced. */
export const HEARING_TIME = 1_000;
/** Maximum bytes of progress, checkpoints and log records in one heartbeat ... */
export const MAX_UPDATE_BYTES = 2 * 1024 * 1024;
/** ... and maximum number of attempts with such updates. */
export const MAX_UPDATES = 1_000;

/** Maximum bytes of unsent log records of an attempt; beyond it the oldest are dropped. */
export const MAX_LOG_BYTES = 64 * 1024;
/** Maximum bytes of message and fields of one log record, in UTF-8. */
export const MAX_LOG_LINE_BYTES = 8 * 1024;
/** Maximum number of fields of one log record. */
export const MAX_LOG_FIELDS = 32;

/** Maximum number of reports in one call. */
export const MAX_REPORTS = 1_000;
/** Maximum bytes of reports in one call; a single report may be larger. */
export const MAX_REPORT_BYTES = 3 * 1024 * 1024;
/** Maximum number of concurrent report calls. */
export const MAX_REPORT_CALLS = 2;
/** A second concurrent call needs this many pending reports: smaller calls only add cost on both sides. */
export const SECOND_CALL_FROM = 100;
/** With more pending reports than this, no credit is granted ... */
export const MAX_PENDING_REPORTS = 5_000;
/** ... nor with more pending bytes. */
export const MAX_PENDING_REPORT_BYTES = 32 * 1024 * 1024;
/** Timeout of a report call; the reports are sent again after it. */
export const REPORT_TIMEOUT = 10_000;

/** Timeout of OpenSession. */
export const OPEN_TIMEOUT = 10_000;
/** Within this time a retry of OpenSession repeats the same request; later retries ask for a new session. */
export const OPEN_REQUEST_LIFE = 5_000;
/** Timeout of CloseSession. */
export const CLOSE_TIMEOUT = 2_000;

/** Cap of the first delay after a failed call ... */
export const MIN_BACKOFF = 100;
/** ... and of every later one; delays double in between. */
export const MAX_BACKOFF = 2_000;
/** Cap of the delay after a failed heartbeat; the delay that the server asks for is added. */
export const BEAT_RETRY = 1_000;
/** After a session that was lost within this time, the next one is opened after about the same time. */
export const SHORT_SESSION = 1_000;
