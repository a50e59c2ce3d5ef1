/** The outbox, for tests of its statements. */
import type { Store } from '../../../server/engine/ports/store.ts';

/** Runs each statement of the outbox once. */
export async function useOutbox({ outbox }: Store): Promise<void> {
  const relayId = crypto.randomUUID();
  const rows = (await outbox.take(relayId, 1, 1)) ?? [];
  await outbox.finish(
    relayId,
    rows.map((row) => row.rowId),
  );
  await outbox.dropOlder(0);
}
