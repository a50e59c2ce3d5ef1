/** The PostgreSQL driver: a bounded pool of `pg` connections with every time-out set. */
import { Socket } from 'node:net';
import pg from 'pg';
import { microsOf } from '../base/times.ts';
import { binaryArray } from './arrays.ts';
import { requestCancel } from './cancel-request.ts';
import {
  type Maintenance,
  type Parameter,
  type ReplicaDatabase,
  runAndCommit,
  type Session,
  type Statement,
  statementsOnly,
} from './database.ts';
import { gathering } from './gathering.ts';
import { HistoryGuard, readHistory } from './history.ts';
import { pacedClient } from './paced-client.ts';
import { Connections, isOutdatedPlan, type Lent } from './postgres-pool.ts';
import { ReadGate, type ReadGateOptions } from './read-gate.ts';
import type { RowOf } from './row-types.ts';

export interface PostgresOptions extends Pick<ReadGateOptions, 'callSignal'> {
  /** `postgres://user:password@host:port/database`, or a socket path as in libpq. */
  readonly url: string;
  /** Max connections, of which half serve the reads of callers. Default 12. */
  readonly poolSize?: number;
  /** Max wait for an answer, beyond the server's own time-outs: for a server that is cut off. Default 20,000 ms. */
  readonly answerMs?: number;
  /** Name under which the server lists the connections. Default: the name of replicas. */
  readonly applicationName?: string;
  /** Called once, when the database's history has changed. From then on no statement runs. */
  readonly onHistoryChange?: ((error: Error) => void) | undefined;
  /** Called when a transaction has written everything and is about to be committed. */
  readonly beforeCommit?: (() => void) | undefined;
}

/** Name of the connections of replicas. */
export const REPLICA_NAME = 'muster';
const INT8 = 20;
const TIMESTAMPTZ = 1184;
export const typeParsers = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number;
    if (oid === TIMESTAMPTZ) return microsOf;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

/**
 * Every statement of the store is a handful of look-ups by index, whatever the tables hold. A plan made while a table
 * was empty must not stay a scan of it, and planning each time costs more than running: so plans are generic, and scans
 * and the joins that need them are disabled. All pages cost the same: for the few rows of a look-up, a bitmap and a
 * sort take more than the look-up itself.
 */
export const planSettings = {
  search_path: 'muster',
  timezone: 'UTC',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  random_page_cost: '1',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

interface TimeLimits {
  readonly statement_timeout: string;
  readonly lock_timeout: string;
  readonly idle_in_transaction_session_timeout: string;
}

const limits: TimeLimits = { statement_timeout: '15s', lock_timeout: '5s', idle_in_transaction_session_timeout: '15s' };
const noLimits: TimeLimits = { statement_timeout: '0', lock_timeout: '0', idle_in_transaction_session_timeout: '0' };

/** Sent over a new connection, and not as its startup options: poolers refuse or drop those. */
async function setUp(client: pg.ClientBase, times: TimeLimits): Promise<void> {
  const settings = Object.entries({ ...planSettings, ...times });
  await client.query(settings.map(([name, value]) => `SET ${name} = '${value}';`).join(' '));
}

const arrayTypes = new WeakMap<Statement, ReadonlyMap<number, string>>();

/** The element types of a statement's array parameters, by parameter number, from its casts. */
function arrayTypesOf(statement: Statement): ReadonlyMap<number, string> {
  const known = arrayTypes.get(statement);
  if (known) return known;
  const casts = statement.text.matchAll(/\$(\d+)::([a-z ]+)\[\]/g);
  const types = new Map(Array.from(casts, ([, number, type]) => [Number(number), type as string]));
  arrayTypes.set(statement, types);
  return types;
}

/** A parameter as `pg` takes it: bytes as a Buffer, which it sends unchanged. */
function parameterOf(
  statement: Statement,
  number: number,
  value: Parameter,
): string | number | boolean | Buffer | null {
  if (value === null || typeof value !== 'object') return value;
  if (!(value instanceof Uint8Array)) {
    const type = arrayTypesOf(statement).get(number);
    if (!type)
      throw new Error(`${statement.name}: $${number} is given a list; cast it to an array, such as $${number}::uuid[]`);
    return binaryArray(type, value);
  }
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/**
 * Runs the store's statements on a client of `pg`. `onRows` gets the number of rows each wrote or returned.
 */
export function sessionOf(client: pg.ClientBase, onRows?: (statement: Statement, rows: number) => void): Session {
  return {
    async run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
      const values = parameters.map((value, i) => parameterOf(statement, i + 1, value));
      const result = await client.query({ name: statement.name, text: statement.text, values });
      onRows?.(statement, result.rowCount ?? 0);
      return result.rows;
    },
  };
}

/** True if no answer came: that connection is unusable from then on. */
function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Its answer need not be awaited: if it fails, every later statement on the connection fails too. */
export function begin(client: pg.ClientBase): Promise<unknown> {
  const begun = client.query('BEGIN');
  begun.catch(() => {});
  return begun;
}

async function rollBack(client: pg.PoolClient): Promise<Error | undefined> {
  return client.query('ROLLBACK').then(
    () => undefined,
    (failed: Error) => failed,
  );
}

/** Cancels the statement when `gone` aborts, without a round trip before it. */
async function runWhileWanted<S extends Statement>(
  { client, end }: Lent,
  gone: AbortSignal | undefined,
  statement: S,
  parameters: readonly Parameter[],
): Promise<RowOf<S>[]> {
  const cancel = () => {
    // The request may arrive after the answer, and would cancel the next statement of the connection.
    end(new Error('a cancel was requested'));
    requestCancel(client);
  };
  gone?.addEventListener('abort', cancel);
  try {
    gone?.throwIfAborted();
    return await sessionOf(client).run(statement, parameters);
  } finally {
    gone?.removeEventListener('abort', cancel);
  }
}

/** On a connection of its own, which no answer is too slow for. */
async function maintain<T>(options: PostgresOptions, work: (connection: Maintenance) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: options.url,
    types: typeParsers,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: options.applicationName ?? REPLICA_NAME,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await setUp(client, noLimits);
    return await work({ ...sessionOf(client), script: async (text) => void (await client.query(text)) });
  } finally {
    await client.end().catch(() => {});
  }
}

/** Connects on first use. Errors of idle connections are not ours to handle: the pool replaces them. */
export function openPostgres(options: PostgresOptions): ReplicaDatabase {
  const { poolSize = 12 } = options;
  const guard = new HistoryGuard(options.onHistoryChange);
  const pool = new pg.Pool({
    Client: pacedClient(),
    connectionString: options.url,
    max: poolSize,
    // Idle connections stay: far away from the database, making one takes seconds.
    idleTimeoutMillis: 0,
    onConnect: async (client) => {
      const [history] = await Promise.all([readHistory(client), setUp(client, limits)]);
      guard.check(history);
    },
    types: typeParsers,
    pipeline: true,
    stream: () => gathering(new Socket()) as never,
    connectionTimeoutMillis: 5_000,
    query_timeout: options.answerMs ?? 20_000,
    keepAlive: true,
    application_name: options.applicationName ?? REPLICA_NAME,
  });
  pool.on('error', () => {});
  const connections = new Connections(pool, () => guard.check());
  const gate = new ReadGate({ maxRunning: Math.max(1, poolSize >> 1), callSignal: options.callSignal });
  const runOnce = <S extends Statement>(
    gone: AbortSignal | undefined,
    statement: S,
    parameters: readonly Parameter[],
  ) =>
    connections.use(
      (lent) => runWhileWanted(lent, gone, statement, parameters),
      async (_, error) => error,
    );
  const run = <S extends Statement>(gone: AbortSignal | undefined, statement: S, parameters: readonly Parameter[]) =>
    runOnce(gone, statement, parameters).catch((error: unknown) => {
      if (!isOutdatedPlan(error)) throw error;
      return runOnce(gone, statement, parameters);
    });
  return {
    run: (statement, parameters) => run(undefined, statement, parameters),
    reads: statementsOnly((statement, parameters) => gate.run((gone) => run(gone, statement, parameters))),
    transaction: (work) =>
      connections.use(
        ({ client }) => {
          const begun = begin(client);
          return runAndCommit(sessionOf(client), work, () => {
            options.beforeCommit?.();
            return Promise.all([begun, client.query('COMMIT')]);
          });
        },
        async (client, error) => (isUnanswered(error) ? error : rollBack(client)),
      ),
    async script(text: string): Promise<void> {
      await pool.query(text);
    },
    maintain: (work) => maintain(options, work),
    close: () => pool.end(),
  };
}
