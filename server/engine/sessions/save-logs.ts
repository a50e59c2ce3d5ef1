/** Stores the log records of handlers. */
import type { AttemptLog } from '../ports/logs.ts';
import type { Store } from '../ports/store.ts';

/** At most one log per attempt and session. Skips stored records, and attempts that are not open in their session. */
export function saveLogs(store: Store, logs: readonly AttemptLog[]): Promise<void> {
  return store.together(async (tx) => {
    const open = await tx.lockLogging(logs);
    if (open.length === 0) return;
    const full = await tx.appendLogs(open, await tx.readNewestLogChunks(open));
    if (full.length > 0) await tx.trimLogs(full);
  });
}
