/**
 * A replica's access to the simulated database: statements take no time and run one at a time, and transactions take
 * turns.
 */
import {
  type Database,
  type Parameter,
  runAndCommit,
  type Session,
  type Statement,
} from '../../store/driver/database.ts';
import type { RowOf } from '../../store/driver/row-types.ts';
import type { Line } from './line.ts';
import type { SimPostgres } from './sim-postgres.ts';
import type { World } from './world.ts';

export interface VirtualDatabaseParts {
  readonly world: World;
  readonly line: Line;
  readonly postgres: SimPostgres;
  /** Called with the number of jobs that a statement has ended. */
  readonly onEnded: (jobs: number) => void;
}

export class VirtualDatabase implements Database {
  readonly #parts: VirtualDatabaseParts;

  constructor(parts: VirtualDatabaseParts) {
    this.#parts = parts;
  }

  run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
    return this.#alone(() => this.#execute(statement, parameters));
  }

  script(text: string): Promise<void> {
    return this.#alone(() => this.#parts.postgres.script(text));
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { postgres } = this.#parts;
    await this.#begin();
    try {
      const session: Session = {
        run: (statement, parameters) => this.#event(() => this.#execute(statement, parameters)),
      };
      return await runAndCommit(session, work, () => this.#event(() => postgres.script('COMMIT')));
    } catch (error) {
      await this.#event(() => postgres.script('ROLLBACK'));
      throw error;
    } finally {
      this.#parts.line.leave();
    }
  }

  async close(): Promise<void> {}

  async #execute<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
    const { world, postgres, onEnded } = this.#parts;
    postgres.reach(world.now);
    const rows = await postgres.run(statement, parameters);
    if (statement.endsJobs && rows.length > 0) onEnded(rows.length);
    return rows;
  }

  #begin(): Promise<void> {
    const { line, postgres } = this.#parts;
    return this.#settle(
      (run) => line.hold(run),
      () => postgres.script('BEGIN'),
    );
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#settle((run) => this.#parts.line.pass(run), work);
  }

  #event<T>(work: () => Promise<T>): Promise<T> {
    return this.#settle((run) => run(), work);
  }

  /** As an event of the world, which waits for it: time stands still while the database works. */
  #settle<T>(enter: (run: () => Promise<void>) => unknown, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#parts.world.after(0, () => enter(() => work().then(resolve, reject)));
    });
  }
}
