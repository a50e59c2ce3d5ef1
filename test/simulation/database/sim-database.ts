/**
 * One replica's connection to the database: statements start and answer late, break, collide, and outlive their caller.
 */

import {
  type Database,
  type Parameter,
  runAndCommit,
  type Session,
  type Statement,
} from '../../../server/store/driver/database.ts';
import type { RowOf } from '../../../server/store/driver/row-types.ts';
import type { Line } from '../../../server/tools/simulate/line.ts';
import type { SimPostgres } from '../../../server/tools/simulate/sim-postgres.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { Conditions, StatementFate } from '../core/conditions.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';

export interface SimDatabaseParts {
  readonly world: World;
  readonly line: Line;
  readonly postgres: SimPostgres;
  readonly conditions: Conditions;
  readonly history: History;
  readonly process: Process;
  /** Called around each execution: the point at which the process may die. */
  readonly atStatement: (name: string, when: 'before' | 'after') => void;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

interface Transaction {
  /** `gone`: rolled back without the caller's knowledge. */
  state: 'open' | 'committing' | 'gone';
  /** Database time of its first statement. */
  beganUs: number | undefined;
  /** Start of its last statement: on one connection they run in the order of their requests. */
  lastMs: number;
  /** A statement has failed: all later ones fail too, and the transaction can only be rolled back. */
  failed: boolean;
}

const CONFLICTS = ['40P01', '40001', '55P03'];

export class SimDatabase implements Database {
  readonly #parts: SimDatabaseParts;
  #transaction: Transaction | undefined;

  constructor(parts: SimDatabaseParts) {
    this.#parts = parts;
  }

  run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
    return this.#alone(statement.name, () => this.#parts.postgres.run(statement, parameters));
  }

  script(text: string): Promise<void> {
    return this.#alone('script', () => this.#parts.postgres.script(text));
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const transaction = await this.#begin();
    const session: Session = {
      run: (statement, parameters) =>
        this.#step(transaction, statement.name, () => this.#parts.postgres.run(statement, parameters)),
    };
    try {
      return await runAndCommit(session, work, () => this.#commit(transaction));
    } catch (error) {
      if (transaction.state === 'open') await this.#rollback(transaction);
      throw error;
    }
  }

  async close(): Promise<void> {}

  /** The process stopped or died: its open transaction is rolled back, as by a broken connection or a timeout. */
  abandon(): void {
    const transaction = this.#transaction;
    if (transaction?.state !== 'open') return;
    transaction.state = 'gone';
    this.#transaction = undefined;
    const { world, history, process } = this.#parts;
    history.count('transaction rolled back by a crash or a pause');
    world.after(0, () => this.#end('ROLLBACK', process.name));
  }

  /** A statement that is a transaction by itself. */
  #alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { world, conditions, line, process } = this.#parts;
    const fate = conditions.statement(name);
    return new Promise((resolve, reject) => {
      // The request has left the process: it may run even though the process is dead by then.
      const outlives = process.random.chance(0.5);
      world.after(fate.startMs, () =>
        line.pass(async () => {
          if (!process.alive && !outlives) return;
          const outcome = await this.#execute(name, fate, work);
          this.#answer(fate, outcome, resolve, reject);
        }),
      );
    });
  }

  #begin(): Promise<Transaction> {
    const { world, conditions, line, postgres, process } = this.#parts;
    const fate = conditions.statement('BEGIN');
    return new Promise((resolve, reject) => {
      world.after(fate.startMs, () =>
        line.hold(async () => {
          if (!process.alive || process.paused || fate.fault === 'refused') {
            line.leave();
            process.deliver(() => reject(connectionLost()));
            return;
          }
          await postgres.script('BEGIN');
          const transaction: Transaction = { state: 'open', beganUs: undefined, lastMs: 0, failed: false };
          this.#transaction = transaction;
          resolve(transaction);
        }),
      );
    });
  }

  #step<T>(transaction: Transaction, name: string, work: () => Promise<T>): Promise<T> {
    const { world, conditions } = this.#parts;
    const fate = conditions.step(name);
    return new Promise((resolve, reject) => {
      world.at(turnOf(transaction, world.now + fate.startMs), async () => {
        if (transaction.state === 'gone') return this.#answer(fate, { error: connectionLost() }, resolve, reject);
        if (transaction.failed) return this.#answer(fate, { error: aborted() }, resolve, reject);
        const outcome = await this.#execute(name, fate, work, transaction);
        transaction.failed ||= 'error' in outcome;
        this.#answer(fate, outcome, resolve, reject);
      });
    });
  }

  #commit(transaction: Transaction): Promise<void> {
    const { world, conditions, postgres, process } = this.#parts;
    const fate = conditions.step('COMMIT');
    if (transaction.state === 'gone') return Promise.reject(connectionLost());
    transaction.state = 'committing';
    return new Promise((resolve, reject) => {
      const outlives = process.random.chance(0.5);
      world.at(turnOf(transaction, world.now + fate.startMs), async () => {
        let committed = false;
        const commit = async () => {
          if (transaction.failed) throw aborted();
          await postgres.script('COMMIT');
          committed = true;
        };
        const mayRun = process.alive || outlives;
        const outcome = mayRun ? await this.#execute('COMMIT', fate, commit) : { error: connectionLost() };
        await this.#end(committed ? undefined : 'ROLLBACK', process.name);
        this.#transaction = undefined;
        this.#answer(fate, outcome, resolve, reject);
      });
    });
  }

  #rollback(transaction: Transaction): Promise<void> {
    if (transaction.state === 'gone') return Promise.resolve();
    transaction.state = 'gone';
    this.#transaction = undefined;
    return new Promise((resolve) => {
      this.#parts.world.after(0, async () => {
        await this.#end('ROLLBACK', this.#parts.process.name);
        this.#parts.process.deliver(resolve);
      });
    });
  }

  async #end(command: 'ROLLBACK' | undefined, who: string): Promise<void> {
    const { postgres, line, history } = this.#parts;
    if (command) {
      await postgres.script(command);
      history.trace(who, command);
    }
    line.leave();
  }

  async #execute<T>(
    name: string,
    fate: StatementFate,
    work: () => Promise<T>,
    transaction?: Transaction,
  ): Promise<Outcome<T>> {
    const { world, postgres, history, process, atStatement } = this.#parts;
    const alive = process.alive;
    atStatement(name, 'before');
    if (fate.fault === 'refused' || alive !== process.alive) return { error: connectionLost() };
    if (fate.fault === 'conflict') return { error: conflict(process.random.pick(CONFLICTS)) };
    const us = postgres.tick(world.now);
    if (transaction) transaction.beganUs ??= us;
    history.executed(us, transaction?.beganUs, postgres.aheadUs !== 0);
    const outcome = await work().then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    history.count(`statement ${name}`);
    history.trace(process.name, `sql ${name}`, {
      ...traceOf(outcome),
      fault: fate.fault === 'none' ? undefined : fate.fault,
    });
    atStatement(name, 'after');
    return fate.fault === 'unknown' ? { error: connectionLost() } : outcome;
  }

  #answer<T>(
    fate: StatementFate,
    outcome: Outcome<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const { world, process } = this.#parts;
    world.after(fate.answerMs, () =>
      process.deliver(() => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value))),
    );
  }
}

function traceOf(outcome: Outcome<unknown>): { rows?: number; error?: string } {
  if ('error' in outcome) return { error: String(outcome.error) };
  return Array.isArray(outcome.value) ? { rows: outcome.value.length } : {};
}

function turnOf(transaction: Transaction, ms: number): number {
  transaction.lastMs = Math.max(transaction.lastMs, ms);
  return transaction.lastMs;
}

function aborted(): Error {
  return Object.assign(new Error('a statement before it has failed'), { code: '25P02' });
}

function connectionLost(): Error {
  return new Error('Connection terminated unexpectedly');
}

function conflict(code: string): Error {
  return Object.assign(new Error('a conflict with another transaction'), { code });
}
