/**
 * Named points at which a crash test ends the process by SIGKILL, so that each crash is reproducible. Only `main` arms
 * them; an unarmed point does nothing.
 */

export const killPoints = [
  /** A transaction has written everything; its COMMIT has not been sent. */
  'transaction.before_commit',
  /** Jobs are stored; neither the dispatchers nor the caller have been notified. */
  'submit.after_commit_before_reply',
  /** Jobs are assigned; no session has been notified. */
  'claim.after_commit_before_publish',
  /** A session reported that it runs its attempts; they are not marked RUNNING yet. */
  'observe.after_publish_before_mark',
  /** Results are stored; neither the worker nor waiting callers have been notified. */
  'complete.after_commit_before_reply',
  /** A change of open jobs (a failure, a release, a cancel, a due time) is stored; nobody has been notified. */
  'change.after_commit_before_reply',
  /** A session is stored; its worker doesn't know its id. */
  'open.after_commit_before_reply',
  /** Sessions are CLOSING; they still hold their attempts. */
  'close.after_closing_before_freeing',
  /** A relay has taken rows of the outbox; the bus has none of their events. */
  'relay.after_take_before_publish',
  /** The bus has stored events; their rows are still in the outbox. */
  'relay.after_publish_before_delete',
  /** Workflows have been advanced, and their jobs stored; neither dispatchers nor sessions have been notified. */
  'workflows.after_commit_before_publish',
  /** A signal is stored; none of the jobs that wait for it has ended yet. */
  'signals.after_send_before_delivery',
  /** Some of the jobs that wait for a signal have ended, without a notification; the others have not. */
  'signals.after_page_before_next',
  /** A batch that retries another one is stored, without members; the caller has no reply yet. */
  'batches.after_retry_before_members',
  /** Some members of a batch have been made again; nobody continues with the others. */
  'batches.after_retried_page_before_next',
  /** Jobs of a schedule are stored; its record does not show them yet. */
  'schedules.after_submit_before_settle',
  /** A trigger has advanced, and has runs to start; nobody knows of them. */
  'triggers.after_advance_before_start',
] as const;

export type KillPoint = (typeof killPoints)[number];

let pass: ((point: KillPoint) => void) | undefined;

/** Marks a kill point. */
export function killPoint(point: KillPoint): void {
  pass?.(point);
}

/**
 * Calls `kill` when a point is passed for the count-th time.
 *
 * @param plan `point:count`, such as `claim.after_commit_before_publish:3`.
 * @throws Error when the point does not exist or the count is not a positive number.
 */
export function armKillPoint(plan: string, kill: () => void): void {
  const [name, text = ''] = plan.split(':');
  const armed = killPoints.find((point) => point === name);
  let left = /^\d+$/.test(text) ? Number(text) : 0;
  if (!armed || left < 1)
    throw new Error(`"${plan}" is no kill point: use point:count, with one of ${killPoints.join(', ')}`);
  pass = (point) => {
    if (point === armed && --left === 0) kill();
  };
}
