package dev.muster.sdk.internal.core;

/**
 * The constants of the dispatch protocol on the worker's side. Times are in milliseconds, sizes in
 * bytes.
 */
public final class Limits {
  /** Life of a credit on the worker's clock, counted from before it is sent. */
  public static final long CREDIT_LIFE = 15_000;

  /** Remaining life below which a heartbeat voids and replaces unused credits. */
  public static final long CREDIT_REPLACE_BELOW = 8_000;

  /** Maximum time that an accepted attempt waits for a slot. */
  public static final long PREFETCH_WAIT = 1_000;

  /** Time in which ended handlers are counted: their number is the prefetch depth ... */
  public static final long PREFETCH_WINDOW = 200;

  /** ... limited to this. */
  public static final int MAX_PREFETCH = 4_000;

  /** Maximum number of attempts that a session holds; a heartbeat lists them all. */
  public static final int MAX_HELD = 10_000;

  /** Maximum number of concurrent handlers of a worker. */
  public static final int MAX_SLOTS = 10_000;

  /**
   * Maximum number of spent credits whose attempts are remembered: enough for the duplicates that a
   * bus makes.
   */
  public static final int MAX_SPENT_CREDITS = 1_000;

  /** How long a cancel is remembered for an attempt that has not arrived. */
  public static final long CANCEL_MEMORY = 15_000;

  /** Maximum number of remembered cancels; the oldest is removed first. */
  public static final int MAX_CANCELS = 10_000;

  /** How long before the server the worker considers its lease lost. */
  public static final long FENCE_MARGIN = 2_000;

  /** Time between the signal of a run timeout and its report. */
  public static final long RUN_TIMEOUT_GRACE = 5_000;

  /** The run timeout of an assignment without one. */
  public static final long DEFAULT_RUN_TIMEOUT = 3_600_000;

  /** Maximum run time of a handler, extensions included. */
  public static final long MAX_RUN_TIME = 30L * 24 * 3_600_000;

  /** The heartbeat interval if the server states none. */
  public static final long DEFAULT_BEAT_INTERVAL = 5_000;

  /** The lease if the server states none. */
  public static final long DEFAULT_LEASE = 15_000;

  /** Maximum number of unanswered heartbeats. */
  public static final int MAX_BEATS_IN_FLIGHT = 4;

  /**
   * Minimum time between heartbeats that are not urgent: the server refuses more than 20 per
   * second.
   */
  public static final long MIN_BEAT_GAP = 60;

  /** Maximum delay before changed progress is sent. */
  public static final long PROGRESS_DELAY = 1_000;

  /** How long a log record waits for others to be sent with it ... */
  public static final long LOG_DELAY = 10;

  /** ... but it is sent no sooner than this after the last heartbeat ... */
  public static final long LOG_GAP = 200;

  /**
   * ... nor sooner than this many round trips of that heartbeat, and at the latest after {@link
   * #PROGRESS_DELAY}.
   */
  public static final long LOG_GAP_ROUND_TRIPS = 10;

  /** Maximum delay before slots that became free without a report are offered. */
  public static final long OFFER_DELAY = 100;

  /** Range of the random delay before a heartbeat after a broken connection. */
  public static final long RECONNECT_SPREAD = 500;

  /** How long a subscription may take to deliver a ping before it may be replaced. */
  public static final long FIRST_PING_TIME = 1_000;

  /** Maximum size of progress, checkpoints and log records in one heartbeat ... */
  public static final int MAX_UPDATE_BYTES = 2 * 1024 * 1024;

  /** ... and maximum number of their attempts. */
  public static final int MAX_UPDATES = 1_000;

  /** Maximum size of unsent log records of an attempt; beyond that, the oldest are dropped. */
  public static final int MAX_LOG_BYTES = 64 * 1024;

  /** Maximum size of message and fields of one log record, in UTF-8. */
  public static final int MAX_LOG_LINE_BYTES = 8 * 1024;

  /** Maximum number of fields of one log record. */
  public static final int MAX_LOG_FIELDS = 32;

  /** Failed heartbeats with a checkpoint after which the attempt's report is sent without it. */
  public static final int CHECKPOINT_TRIES = 3;

  /** Maximum number of reports in one call. */
  public static final int MAX_REPORTS = 1_000;

  /** Maximum size of the reports in one call; a single report may be larger. */
  public static final int MAX_REPORT_BYTES = 3 * 1024 * 1024;

  /** Maximum number of concurrent report calls. */
  public static final int MAX_REPORT_CALLS = 2;

  /**
   * Number of pending reports from which a second call is made; smaller calls only cost both sides.
   */
  public static final int SECOND_CALL_FROM = 100;

  /** Number of pending reports above which no credit is granted ... */
  public static final int MAX_PENDING_REPORTS = 5_000;

  /** ... and the same limit in bytes. */
  public static final long MAX_PENDING_REPORT_BYTES = 32L * 1024 * 1024;

  /** Maximum wait for an answer to a report; then it is sent again. */
  public static final long REPORT_TIMEOUT = 10_000;

  /** Maximum wait for an answer to ApplyJobDefinition; then it is sent again. */
  public static final long APPLY_TIMEOUT = 10_000;

  /** Maximum wait for an answer to OpenSession. */
  public static final long OPEN_TIMEOUT = 10_000;

  /** How long a repeat of OpenSession keeps its request id; later repeats request a new session. */
  public static final long OPEN_REQUEST_LIFE = 5_000;

  /** Maximum wait for an answer to CloseSession. */
  public static final long CLOSE_TIMEOUT = 2_000;

  /** Upper bound of the first wait after a failed call ... */
  public static final long MIN_BACKOFF = 100;

  /** ... and of every later one; the bound doubles in between. */
  public static final long MAX_BACKOFF = 2_000;

  /**
   * Upper bound of the wait after a failed heartbeat; a delay that the server requests is added.
   */
  public static final long BEAT_RETRY = 1_000;

  /**
   * Lifetime below which a lost session is short: the next one is opened only after about as long.
   */
  public static final long SHORT_SESSION = 1_000;

  private Limits() {}
}
