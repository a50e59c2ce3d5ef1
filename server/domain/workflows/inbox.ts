/** What workflows and batches are told. */

/**
 * Codes as stored in SQL. What a workflow is told; each is written by the transaction that makes it so, and taken by the
 * one that acts on it.
 */
export const inboxKinds = {
  /** It has been started. */
  STARTED: 1,
  /** Jobs of a step have ended. */
  CHILDREN_ENDED: 2,
  /** Somebody cancels it. */
  CANCEL: 3,
  /** Its total timeout is over. */
  TIME_OUT: 4,
  /** It has more to do than one transaction did. */
  CONTINUE: 5,
  /** Open jobs of a step, or of all, are to be cancelled: stays until they are. */
  CANCEL_CHILDREN: 6,
  /** Of a batch: it gets no more members. */
  SEALED: 7,
  /** Somebody skips a step. */
  SKIP_STEP: 8,
} as const;
export type InboxKind = keyof typeof inboxKinds;

/** Taken by one transaction. */
export const MAX_INBOX_ROWS = 1_000;
