/**
 * Maintenance that PGlite lacks. It depends on the number of jobs, not on time, so that a seed determines the result.
 */
import { hotTables } from '../../store/driver/pglite-maintenance.ts';
import type { Line } from './line.ts';
import type { SimPostgres } from './sim-postgres.ts';
import type { World } from './world.ts';

const JOBS_BETWEEN = 10_000;

export class CleanUp {
  readonly #parts: { readonly world: World; readonly line: Line; readonly postgres: SimPostgres };
  #ended = 0;

  constructor(parts: { readonly world: World; readonly line: Line; readonly postgres: SimPostgres }) {
    this.#parts = parts;
  }

  /** This number of jobs has ended. */
  readonly noteEnded = (jobs: number): void => {
    this.#ended += jobs;
    if (this.#ended < JOBS_BETWEEN) return;
    this.#ended = 0;
    const { world, line, postgres } = this.#parts;
    world.after(0, () =>
      line.pass(async () => {
        for (const table of hotTables) await postgres.script(`VACUUM muster.${table}`);
        await postgres.script('CHECKPOINT');
      }),
    );
  };
}
