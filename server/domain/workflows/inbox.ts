/** Kinds of inbox rows of workflows and batches. */

/**
 * Codes as stored in SQL. Each row is written by the transaction that makes it true, and taken by the transaction that
 * acts on it.
 */
export const inboxKinds = {
  /** The workflow was started. */
  STARTED: 1,
  /** Jobs of a step have ended. */
  CHILDREN_ENDED: 2,
  /** A cancel was requested. */
  CANCEL: 3,
  /** Its total timeout has passed. */
  TIME_OUT: 4,
  /** One transaction could not do all the work. */
  CONTINUE: 5,
  /** Open jobs of a step, or of all steps, must be cancelled; the row stays until they are. */
  CANCEL_CHILDREN: 6,
  /** For a batch: it gets no more members. */
  SEALED: 7,
  /** A step is skipped manually. */
  SKIP_STEP: 8,
} as const;
export type InboxKind = keyof typeof inboxKinds;

/** Maximum rows taken by one transaction. */
export const MAX_INBOX_ROWS = 1_000;
