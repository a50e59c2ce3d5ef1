/** Completes attempts that returned a result. */
import type { CompletedAttempt, Completion } from '../ports/attempts.ts';
import type { Store } from '../ports/store.ts';

/**
 * Returns the attempts that this call completed. The others were not open in their session, or are to be checked first.
 */
export async function completeAttempts(
  store: Store,
  completions: readonly Completion[],
  checked = false,
): Promise<CompletedAttempt[]> {
  const { completed, progressed, watched } = await store.writeCompletions(completions, checked);
  if (progressed.length > 0) await store.deleteCheckpoints(progressed);
  if (watched) await store.triggers.causeByEnds(completed.map((one) => ({ ...one, state: 'SUCCEEDED' })));
  return completed;
}
