/**
 * Named places at which a crash test ends the process by SIGKILL, so that each crash is exact and not lucky. Nothing is
 * armed unless `main` arms it, and what is not armed does nothing.
 */

export const killPoints = [
  /** A transaction has written everything; its COMMIT has not been sent. */
  'transaction.before_commit',
  /** Jobs are stored; neither the dispatchers nor the caller know. */
  'submit.after_commit_before_reply',
  /** Jobs are assigned; no session has been told. */
  'claim.after_commit_before_publish',
  /** A session said that it runs what it was sent; the attempts are not marked RUNNING yet. */
  'observe.after_publish_before_mark',
  /** Results are stored; neither the worker nor who waits knows. */
  'complete.after_commit_before_reply',
  /** A change of open jobs (a failure, a release, a cancel, what was due) is stored; nobody knows. */
  'change.after_commit_before_reply',
  /** A session is stored; its worker doesn't know its id. */
  'open.after_commit_before_reply',
  /** Sessions are CLOSING; they still hold their attempts. */
  'close.after_closing_before_freeing',
  /** A relay has taken rows of the outbox; the bus has none of their events. */
  'relay.after_take_before_publish',
  /** The bus has stored events; their rows are still in the outbox. */
  'relay.after_publish_before_delete',
  /** Workflows have been advanced, and their jobs stored; neither dispatchers nor sessions know. */
  'workflows.after_commit_before_publish',
  /** An event is stored; none of the jobs that wait for it has ended yet. */
  'events.after_send_before_delivery',
  /** Some of the jobs that wait for an event have ended; nobody knows, and others have not. */
  'events.after_page_before_next',
  /** A batch that retries another one is stored; it has no members yet, and the caller does not know of it. */
  'batches.after_retry_before_members',
  /** Some of the members of a batch have been made anew; nobody goes on with the others. */
  'batches.after_retried_page_before_next',
  /** Jobs of a schedule are stored; its record does not say so yet. */
  'schedules.after_submit_before_settle',
] as const;

export type KillPoint = (typeof killPoints)[number];

let pass: ((point: KillPoint) => void) | undefined;

/** Marks a place. */
export function killPoint(point: KillPoint): void {
  pass?.(point);
}

/**
 * Calls `kill` at the count-th passing of a point.
 *
 * @param plan `point:count`, such as `claim.after_commit_before_publish:3`.
 * @throws Error when there is no such point or the count is none.
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
