//! The numbers of the worker protocol. Times are in milliseconds.

use super::Millis;

/// How long a credit lives on the worker's clock, counted from before it is sent.
pub const CREDIT_LIFE: Millis = 15_000;
/// At a beat, unused credits with less than this left are voided and replaced.
pub const CREDIT_REPLACE_BELOW: Millis = 8_000;
/// How long an accepted attempt may wait for a place.
pub const PREFETCH_WAIT: Millis = 1_000;
/// The depth of the prefetch is the number of handlers that ended in this time ...
pub const PREFETCH_WINDOW: Millis = 200;
/// ... but never more than this.
pub const MAX_PREFETCH: usize = 4_000;
/// Attempts that a session may hold; a heartbeat lists them all.
pub const MAX_HELD: usize = 10_000;
/// Handlers that a worker may run at once.
pub const MAX_SLOTS: usize = 10_000;
/// Spent credits whose attempts are remembered: enough for the duplicates that a bus makes, and bounded.
pub const MAX_SPENT_CREDITS: usize = 1_000;

/// How long a cancel is remembered for an attempt that has not arrived.
pub const CANCEL_MEMORY: Millis = 15_000;
/// Cancels that are remembered at once; the oldest goes first.
pub const MAX_CANCELS: usize = 10_000;

/// The worker gives its lease up this long before the server does.
pub const FENCE_MARGIN: Millis = 2_000;
/// The lease that the margin is meant for; a shorter one keeps the same share of itself.
pub const USUAL_LEASE: Millis = 15_000;
/// The beat interval, where the server states none.
pub const USUAL_BEAT_INTERVAL: Millis = 5_000;
/// What a handler gets between the signal of its run timeout and the report of it.
pub const RUN_TIMEOUT_GRACE: Millis = 5_000;
/// The run timeout of an assignment that states none.
pub const DEFAULT_RUN_TIMEOUT: Millis = 3_600_000;
/// The longest that a handler may run, with all that it asks for.
pub const MAX_RUN_TIME: Millis = 30 * 24 * 3_600_000;

/// Heartbeats that may wait for their answer at once.
pub const MAX_BEATS_IN_FLIGHT: usize = 4;
/// Least time between heartbeats that nothing urgent asks for: the server refuses more than 20 a second.
pub const MIN_BEAT_GAP: Millis = 60;
/// The share of the interval by which a beat may come early, so that workers that started together drift apart.
pub const BEAT_JITTER: f64 = 0.1;
/// Changed progress is sent within this time.
pub const PROGRESS_DELAY: Millis = 1_000;
/// Heartbeats that may fail with a checkpoint before the report of its attempt waits for it no longer.
pub const CHECKPOINT_TRIES: u32 = 3;
/// A log record waits this long for others to come along ...
pub const LOG_DELAY: Millis = 10;
/// ... is sent no sooner than this after the last heartbeat ...
pub const LOG_GAP: Millis = 200;
/// ... or than this many times as long as the last heartbeat took to be answered, and within `PROGRESS_DELAY` at the latest.
pub const LOG_GAP_ROUND_TRIPS: Millis = 10;
/// Places that became free without a report are offered within this time.
pub const OFFER_DELAY: Millis = 100;
/// After a broken connection, workers beat at random times within this one.
pub const RECONNECT_SPREAD: Millis = 500;
/// A new subscription over which nothing is heard is asked for a ping once more after this time.
pub const UNHEARD_BEAT: Millis = 250;
/// A connection to the bus is given this long to bring a ping before it is given up for another one.
pub const HEARING_TIME: Millis = 1_000;
/// Progress, checkpoints and log records that one heartbeat carries, in bytes ...
pub const MAX_UPDATE_BYTES: usize = 2 * 1024 * 1024;
/// ... and of how many attempts.
pub const MAX_UPDATES: usize = 1_000;

/// Log records of an attempt that wait to be sent; the oldest are dropped beyond that.
pub const MAX_LOG_BYTES: usize = 64 * 1024;
/// Message and fields of one log record, in UTF-8.
pub const MAX_LOG_LINE_BYTES: usize = 8 * 1024;
/// Fields of one log record.
pub const MAX_LOG_FIELDS: usize = 32;

/// Reports in one call.
pub const MAX_REPORTS: usize = 1_000;
/// Bytes of reports in one call; a single report may be larger.
pub const MAX_REPORT_BYTES: usize = 3 * 1024 * 1024;
/// Report calls that may be under way at once.
pub const MAX_REPORT_CALLS: usize = 2;
/// A second call waits until this many reports are pending: smaller ones only cost both sides.
pub const SECOND_CALL_FROM: usize = 100;
/// With more reports than this pending, no credit is granted ...
pub const MAX_PENDING_REPORTS: usize = 5_000;
/// ... nor with more bytes of them.
pub const MAX_PENDING_REPORT_BYTES: usize = 32 * 1024 * 1024;
/// Longest wait for an answer to a report; the report is sent again after it.
pub const REPORT_TIMEOUT: Millis = 10_000;

/// Longest wait for an answer to OpenSession.
pub const OPEN_TIMEOUT: Millis = 10_000;
/// A repeat of OpenSession is the same request for this long; later ones ask for a session of their own.
pub const OPEN_REQUEST_LIFE: Millis = 5_000;
/// Longest wait for an answer to CloseSession.
pub const CLOSE_TIMEOUT: Millis = 2_000;

/// Upper bound of the first wait after a failed call ...
pub const MIN_BACKOFF: Millis = 100;
/// ... and of every later one; waits double in between.
pub const MAX_BACKOFF: Millis = 2_000;
/// Upper bound of the wait after a heartbeat that failed; what the server asks for comes on top.
pub const BEAT_RETRY: Millis = 1_000;
/// A session that is lost within this time is followed by another one only after a while of about the same length.
pub const SHORT_SESSION: Millis = 1_000;
