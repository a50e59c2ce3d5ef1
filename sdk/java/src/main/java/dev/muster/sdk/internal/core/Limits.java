package dev.muster.sdk.internal.core;

/**
 * The numbers of the dispatch protocol on the worker's side. Times are in milliseconds, sizes in
 * bytes.
 */
public final class Limits {
  /** How long a credit lives on the worker's clock, counted from before it is sent. */
  public static final long CREDIT_LIFE = 15_000;

  /** At a beat, unused credits with less than this left are voided and replaced. */
  public static final long CREDIT_REPLACE_BELOW = 8_000;

  /** How long an accepted attempt may wait for a place. */
  public static final long PREFETCH_WAIT = 1_000;

  /** The depth of the prefetch is the number of handlers that ended in this time ... */
  public static final long PREFETCH_WINDOW = 200;

  /** ... but never more than this. */
  public static final int MAX_PREFETCH = 4_000;

  /** Attempts that a session may hold; a heartbeat lists them all. */
  public static final int MAX_HELD = 10_000;

  /** Handlers that a worker may run at once. */
  public static final int MAX_SLOTS = 10_000;

  /**
   * Spent credits whose attempts are remembered: enough for the duplicates that a bus makes, and
   * bounded.
   */
  public static final int MAX_SPENT_CREDITS = 1_000;

  /** How long a cancel is remembered for an attempt that has not arrived. */
  public static final long CANCEL_MEMORY = 15_000;

  /** Cancels that are remembered at once; the oldest goes first. */
  public static final int MAX_CANCELS = 10_000;

  /** The worker gives its lease up this long before the server does. */
  public static final long FENCE_MARGIN = 2_000;

  /** What a handler gets between the signal of its run timeout and the report of it. */
  public static final long RUN_TIMEOUT_GRACE = 5_000;

  /** The run timeout of an assignment that states none. */
  public static final long DEFAULT_RUN_TIMEOUT = 3_600_000;

  /** The longest that a handler may run, with all that it asks for. */
  public static final long MAX_RUN_TIME = 30L * 24 * 3_600_000;

  /** The time between heartbeats where the server states none. */
  public static final long DEFAULT_BEAT_INTERVAL = 5_000;

  /** The lease where the server states none. */
  public static final long DEFAULT_LEASE = 15_000;

  /** Heartbeats that may wait for their answer at once. */
  public static final int MAX_BEATS_IN_FLIGHT = 4;

  /**
   * Least time between heartbeats that nothing urgent asks for: the server refuses more than 20 a
   * second.
   */
  public static final long MIN_BEAT_GAP = 60;

  /** Changed progress is sent within this time. */
  public static final long PROGRESS_DELAY = 1_000;

  /** A log record waits this long for others to come along ... */
  public static final long LOG_DELAY = 10;

  /** ... is sent no sooner than this after the last heartbeat ... */
  public static final long LOG_GAP = 200;

  /**
   * ... or than this many times as long as the last heartbeat took to be answered, and within
   * {@link #PROGRESS_DELAY} at the latest.
   */
  public static final long LOG_GAP_ROUND_TRIPS = 10;

  /** Places that became free without a report are offered within this time. */
  public static final long OFFER_DELAY = 100;

  /** After a broken connection, workers beat at random times within this one. */
  public static final long RECONNECT_SPREAD = 500;

  /** A subscription is given this long to bring a ping before it is given up for another one. */
  public static final long HEARING_TIME = 1_000;

  /** Progress, checkpoints and log records that one heartbeat carries ... */
  public static final int MAX_UPDATE_BYTES = 2 * 1024 * 1024;

  /** ... and of how many attempts. */
  public static final int MAX_UPDATES = 1_000;

  /** Log records of an attempt that wait to be sent; the oldest are dropped beyond that. */
  public static final int MAX_LOG_BYTES = 64 * 1024;

  /** Message and fields of one log record, in UTF-8. */
  public static final int MAX_LOG_LINE_BYTES = 8 * 1024;

  /** Fields of one log record. */
  public static final int MAX_LOG_FIELDS = 32;

  /**
   * Heartbeats that may fail before a report goes without the checkpoint that they were to carry.
   */
  public static final int CHECKPOINT_TRIES = 3;

  /** Reports in one call. */
  public static final int MAX_REPORTS = 1_000;

  /** Bytes of reports in one call; a single report may be larger. */
  public static final int MAX_REPORT_BYTES = 3 * 1024 * 1024;

  /** Report calls that may be under way at once. */
  public static final int MAX_REPORT_CALLS = 2;

  /** A second call waits until this many reports are pending: smaller ones only cost both sides. */
  public static final int SECOND_CALL_FROM = 100;

  /** With more reports than this pending, no credit is granted ... */
  public static final int MAX_PENDING_REPORTS = 5_000;

  /** ... nor with more bytes of them. */
  public static final long MAX_PENDING_REPORT_BYTES = 32L * 1024 * 1024;

  /** Longest wait for an answer to a report; the report is sent again after it. */
  public static final long REPORT_TIMEOUT = 10_000;

  /** Longest wait for an answer to OpenSession. */
  public static final long OPEN_TIMEOUT = 10_000;

  /**
   * A repeat of OpenSession is the same request for this long; later ones ask for a new session.
   */
  public static final long OPEN_REQUEST_LIFE = 5_000;

  /** Longest wait for an answer to CloseSession. */
  public static final long CLOSE_TIMEOUT = 2_000;

  /** Upper bound of the first wait after a failed call ... */
  public static final long MIN_BACKOFF = 100;

  /** ... and of every later one; waits double in between. */
  public static final long MAX_BACKOFF = 2_000;

  /**
   * Upper bound of the wait after a heartbeat that failed; what the server asks for comes on top.
   */
  public static final long BEAT_RETRY = 1_000;

  /**
   * A session that is lost within this time is followed by another one only after about as long.
   */
  public static final long SHORT_SESSION = 1_000;

  private Limits() {}
}
