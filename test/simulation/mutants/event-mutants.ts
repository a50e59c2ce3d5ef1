/** Planted bugs in the events of jobs. */
import type { Mutant } from './mutant.ts';

export const eventMutants: Readonly<Record<string, Mutant>> = {
  announced_before_stored: {
    about: 'A row leaves the outbox before the bus has stored its events.',
    patches: [
      {
        file: 'server/engine/events/event-relay.ts',
        find: "if (rows.length > 0) killPoint('relay.after_take_before_publish');",
        replace: 'await outbox.finish(this.#relayId, rows.map((row) => row.rowId));',
      },
    ],
  },
  refused_counts_as_delivered: {
    about: 'A row leaves the outbox though the bus has not stored all of its events.',
    patches: [
      {
        file: 'server/engine/events/event-relay.ts',
        find: "stored[i]?.status === 'fulfilled'",
        replace: 'stored[i]',
      },
    ],
  },
  retries_not_announced: {
    about: 'Of moved jobs only the ends are published, and not that they wait again.',
    patches: [
      {
        file: 'server/store/jobs/change/write-runs.ts',
        find: 'state <> was_state AND state NOT IN',
        replace: 'state <> was_state AND state <> 2 AND state NOT IN',
      },
    ],
  },
  messages_identified_by_row: {
    about: 'The parts of a batch that is split have one id, so that the bus keeps the first of them alone.',
    patches: [
      {
        file: 'server/bus/event-codec.ts',
        find: 'messages.length === 0 ? batch.batchId',
        replace: 'messages.length >= 0 ? batch.batchId',
      },
    ],
  },
};
