/**
 * Searches for planted bugs on behalf of the parent process: one bug after another, on one database. A message names a
 * bug and the seeds to try. The answer has the seed that noticed it; each other seed sends a message, so that silence
 * means a hang.
 */
import { openSimPostgres } from '../database/open-sim-postgres.ts';
import { failureOf } from '../scenario/summary.ts';
import { importPlanted } from './plant.ts';

export interface Order {
  readonly mutant: string;
  readonly seeds: readonly number[];
}

/** The first failed seed with its violation; null if there was none. */
export type Found = { readonly seed: number; readonly text: string } | null;

export type Message = { readonly tried: number } | { readonly found: Found } | { readonly error: string };

const send = (message: Message) => process.send?.(message);
const opening = openSimPostgres();

async function search({ mutant, seeds }: Order): Promise<Found> {
  const path = 'test/simulation/scenario/run-seeds.ts';
  const { runSeeds } = await importPlanted<typeof import('../scenario/run-seeds.ts')>(mutant, path);
  const postgres = await opening;
  const onSeed = ({ seed }: { readonly seed: number }) => send({ tried: seed });
  const { failures } = await runSeeds({ postgres, seeds, stopAtFirst: true, onSeed });
  return failures[0] ? { seed: failures[0].seed, text: failureOf(failures[0]) } : null;
}

process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  search(order).then(
    (found) => send({ found }),
    (error: unknown) => send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
