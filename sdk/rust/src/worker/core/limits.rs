//! The constants of the worker protocol. Times are in milliseconds.

use super::Millis;

/// Life of a credit on the worker's clock, counted from before it is sent.
pub const CREDIT_LIFE: Millis = 15_000;
/// Remaining life below which a heartbeat voids and replaces unused credits.
pub const CREDIT_REPLACE_BELOW: Millis = 8_000;
/// Maximum time that an accepted attempt waits for a slot.
pub const PREFETCH_WAIT: Millis = 1_000;
/// Time in which ended handlers are counted: their number is the prefetch depth ...
pub const PREFETCH_WINDOW: Millis = 200;
/// ... limited to this.
pub const MAX_PREFETCH: usize = 4_000;
/// Maximum number of attempts that a session holds; a heartbeat lists them all.
pub const MAX_HELD: usize = 10_000;
/// Maximum number of concurrent handlers of a worker.
pub const MAX_SLOTS: usize = 10_000;
/// Maximum number of spent credits whose attempts are remembered: enough for the duplicates that a bus makes.
pub const MAX_SPENT_CREDITS: usize = 1_000;

/// How long a cancel is remembered for an attempt that has not arrived.
pub const CANCEL_MEMORY: Millis = 15_000;
/// Maximum number of remembered cancels; the oldest is removed first.
pub const MAX_CANCELS: usize = 10_000;

/// How long before the server the worker considers its lease lost.
pub const FENCE_MARGIN: Millis = 2_000;
/// The lease for which the margin is meant; shorter leases have a proportional margin.
pub const USUAL_LEASE: Millis = 15_000;
/// The heartbeat interval if the server states none.
pub const USUAL_BEAT_INTERVAL: Millis = 5_000;
/// Time between the signal of a run timeout and its report.
pub const RUN_TIMEOUT_GRACE: Millis = 5_000;
/// The run timeout of an assignment without one.
pub const DEFAULT_RUN_TIMEOUT: Millis = 3_600_000;
/// Maximum run time of a handler, extensions included.
pub const MAX_RUN_TIME: Millis = 30 * 24 * 3_600_000;

/// Maximum number of unanswered heartbeats.
pub const MAX_BEATS_IN_FLIGHT: usize = 4;
/// Minimum time between heartbeats that are not urgent: the server refuses more than 20 per second.
pub const MIN_BEAT_GAP: Millis = 60;
/// Share of the interval by which a heartbeat may come early, so that workers that started together spread out.
pub const BEAT_JITTER: f64 = 0.1;
/// Maximum delay before changed progress is sent.
pub const PROGRESS_DELAY: Millis = 1_000;
/// Failed heartbeats with a checkpoint after which the attempt's report is sent without it.
pub const CHECKPOINT_TRIES: u32 = 3;
/// How long a log record waits for others to be sent with it ...
pub const LOG_DELAY: Millis = 10;
/// ... but it is sent no sooner than this after the last heartbeat ...
pub const LOG_GAP: Millis = 200;
/// ... nor sooner than this many round trips of that heartbeat, and at the latest after `PROGRESS_DELAY`.
pub const LOG_GAP_ROUND_TRIPS: Millis = 10;
/// Maximum delay before slots that became free without a report are offered.
pub const OFFER_DELAY: Millis = 100;
/// Range of the random delay before a heartbeat after a broken connection.
pub const RECONNECT_SPREAD: Millis = 500;
/// Delay before another ping is requested over a new subscription that has received none.
pub const NO_PING_BEAT: Millis = 250;
/// How long a connection to the bus may take to deliver a ping before it may be replaced.
pub const HEARING_TIME: Millis = 1_000;
/// Maximum size of progress, checkpoints and log records in one heartbeat, in bytes ...
pub const MAX_UPDATE_BYTES: usize = 2 * 1024 * 1024;
/// ... and maximum number of their attempts.
pub const MAX_UPDATES: usize = 1_000;

/// Maximum size of unsent log records of an attempt; beyond that, the oldest are dropped.
pub const MAX_LOG_BYTES: usize = 64 * 1024;
/// Maximum size of message and fields of one log record, in UTF-8.
pub const MAX_LOG_LINE_BYTES: usize = 8 * 1024;
/// Maximum number of fields of one log record.
pub const MAX_LOG_FIELDS: usize = 32;

/// Maximum number of reports in one call.
pub const MAX_REPORTS: usize = 1_000;
/// Maximum size of the reports in one call; a single report may be larger.
pub const MAX_REPORT_BYTES: usize = 3 * 1024 * 1024;
/// Maximum number of concurrent report calls.
pub const MAX_REPORT_CALLS: usize = 2;
/// Number of pending reports from which a second call is made; smaller calls only cost both sides.
pub const SECOND_CALL_FROM: usize = 100;
/// Number of pending reports above which no credit is granted ...
pub const MAX_PENDING_REPORTS: usize = 5_000;
/// ... and the same limit in bytes.
pub const MAX_PENDING_REPORT_BYTES: usize = 32 * 1024 * 1024;
/// Maximum wait for an answer to a report; then it is sent again.
pub const REPORT_TIMEOUT: Millis = 10_000;

/// Maximum wait for an answer to ApplyJobDefinition.
pub const APPLY_TIMEOUT: Millis = 10_000;
/// Maximum wait for an answer to OpenSession.
pub const OPEN_TIMEOUT: Millis = 10_000;
/// How long a repeat of OpenSession keeps its request id; later repeats request a new session.
pub const OPEN_REQUEST_LIFE: Millis = 5_000;
/// Maximum wait for an answer to CloseSession.
pub const CLOSE_TIMEOUT: Millis = 2_000;

/// Upper bound of the first wait after a failed call ...
pub const MIN_BACKOFF: Millis = 100;
/// ... and of every later one; the bound doubles in between.
pub const MAX_BACKOFF: Millis = 2_000;
/// Upper bound of the wait after a failed heartbeat; a delay that the server requests is added.
pub const BEAT_RETRY: Millis = 1_000;
/// Lifetime below which a lost session is short: the next one is opened only after about as long.
pub const SHORT_SESSION: Millis = 1_000;
