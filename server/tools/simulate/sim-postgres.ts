/** PGlite in this thread, behind the product's `pg` client and codecs, with a clock that the simulation sets. */
import { EventEmitter } from 'node:events';
import { PGlite } from '@electric-sql/pglite';
import pg from 'pg';
import type { Database, Parameter, Session, Statement } from '../../store/driver/database.ts';
import { PgliteStream } from '../../store/driver/pglite-stream.ts';
import { sessionOf, typeParsers } from '../../store/driver/postgres.ts';
import type { RowOf } from '../../store/driver/row-types.ts';
import { migrate } from '../../store/migrate.ts';
import { ensurePartitions } from '../../store/upkeep/partitions.ts';

/** Database time at the start of each simulation, in ms since 1970: 2026-03-01 12:00 UTC, far from midnight. */
export const EPOCH_MS = Date.UTC(2026, 2, 1, 12);

/** Tables with rows from migrations. */
const kept: ReadonlySet<string> = new Set(
  ['schema_migrations', 'deployment_keys', 'outbox_turns'].map((name) => `muster.${name}`),
);

const virtualClock = `
CREATE OR REPLACE FUNCTION muster.muster_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$ SELECT current_setting('muster.real')::timestamptz + current_setting('muster.ahead')::interval $$;`;

/** They must include one plan per statement, so that a run does not depend on earlier runs. */
type Settings = Readonly<Record<string, string>>;

export interface SimPostgresOptions {
  readonly settings: Settings;
  /** Runs once the schema exists. */
  readonly script?: string;
}

/**
 * PostgreSQL's answer, synchronously: without a sync of files the call is done when it returns. The plain call would
 * keep every row that it ever returned.
 */
function answerOf(pglite: PGlite, message: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [];
  void pglite.execProtocolRawStream(message, { syncToFs: false, onRawData: (chunk) => chunks.push(chunk.slice()) });
  return Buffer.concat(chunks);
}

/** Replaces the worker thread of `pg`: answers at once. */
class InlineThread extends EventEmitter {
  readonly #pglite: PGlite;

  constructor(pglite: PGlite) {
    super();
    this.#pglite = pglite;
  }

  postMessage(message: Uint8Array): void {
    this.emit('message', answerOf(this.#pglite, message));
  }
}

export class SimPostgres {
  readonly #pglite: PGlite;
  readonly #settings: Settings;
  #client: pg.Client;
  #session: Session;
  #tables = '';
  #lastUs = 0;
  /** How far the clock that statements read is ahead of virtual time, in µs. `muster.real` has virtual time. */
  aheadUs = 0;
  /** Then each change of the clock sets both, because a rollback brings an earlier setting back. */
  #hasBeenAhead = true;

  private constructor(pglite: PGlite, settings: Settings, client: pg.Client) {
    this.#pglite = pglite;
    this.#settings = settings;
    this.#client = client;
    this.#session = sessionOf(client);
  }

  /** Takes some seconds: use one for all simulations. */
  static async open({ settings, script = '' }: SimPostgresOptions): Promise<SimPostgres> {
    const pglite = await PGlite.create({ dataDir: 'memory://' });
    const postgres = new SimPostgres(pglite, settings, await connect(pglite, settings));
    postgres.#setNow(EPOCH_MS * 1000);
    await migrate(postgres.#database());
    await postgres.script(virtualClock + script);
    await ensurePartitions(postgres.#database(), EPOCH_MS * 1000);
    const { rows } = await postgres.#client.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition",
    );
    postgres.#tables = rows
      .map((row) => `muster.${row.relname}`)
      .filter((name) => !kept.has(name))
      .join(', ');
    return postgres;
  }

  /** Restores the state after `open`: no rows, no prepared statements, the clock at its start. */
  async reset(): Promise<void> {
    this.#lastUs = EPOCH_MS * 1000;
    this.aheadUs = 0;
    this.#hasBeenAhead = false;
    await this.#client.query("ROLLBACK; SET muster.ahead = '0'");
    this.#setNow(this.#lastUs);
    await this.#client.query(
      `TRUNCATE ${this.#tables} RESTART IDENTITY; UPDATE muster.outbox_turns SET relay_id = NULL, turn_until = '-infinity'`,
    );
    await this.#client.query('DEALLOCATE ALL');
    await this.#client.end();
    this.#client = await connect(this.#pglite, this.#settings);
    this.#session = sessionOf(this.#client);
  }

  /** Moves the clock to `ms` of virtual time, or by 1 µs if it is already there: no two statements share a time. */
  tick(ms: number): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.round((EPOCH_MS + ms) * 1000));
    this.#setNow(this.#lastUs);
    return this.#lastUs;
  }

  /** Moves the clock to `ms` of virtual time, for everything that is done at that moment. */
  reach(ms: number): void {
    const us = Math.round((EPOCH_MS + ms) * 1000);
    if (us <= this.#lastUs) return;
    this.#lastUs = us;
    this.#setNow(us);
  }

  run<S extends Statement>(statement: S, parameters: readonly Parameter[]): Promise<RowOf<S>[]> {
    return this.#session.run(statement, parameters);
  }

  async script(text: string): Promise<void> {
    await this.#client.query(text);
  }

  async close(): Promise<void> {
    await this.#client.end();
    await this.#pglite.close();
  }

  /**
   * Bypasses the client: the answer has no content, and in a failed transaction it is an error that does not matter.
   */
  #setNow(us: number): void {
    this.#hasBeenAhead ||= this.aheadUs !== 0;
    const ahead = this.#hasBeenAhead ? `; SET muster.ahead = '${this.aheadUs} us'` : '';
    const text = Buffer.from(`SET muster.real = '${timeText(us)}'${ahead}\0`);
    const message = Buffer.alloc(5 + text.length);
    message[0] = 0x51; // 'Q'
    message.writeUInt32BE(4 + text.length, 1);
    text.copy(message, 5);
    answerOf(this.#pglite, message);
  }

  #database(): Database {
    return {
      run: (statement, parameters) => this.run(statement, parameters),
      script: (text) => this.script(text),
      transaction: () => Promise.reject(new Error('set-up needs no transactions')),
      close: () => Promise.resolve(),
    };
  }
}

function timeText(us: number): string {
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, 23)}${String(us % 1000).padStart(3, '0')}Z`;
}

async function connect(pglite: PGlite, settings: Settings): Promise<pg.Client> {
  const thread = new InlineThread(pglite);
  const client = new pg.Client({
    stream: () => new PgliteStream(thread as never) as never,
    user: 'postgres',
    database: 'postgres',
    types: typeParsers,
  });
  await client.connect();
  await client.query(
    Object.entries(settings)
      .map(([name, value]) => `SET ${name} = ${value}`)
      .join('; '),
  );
  return client;
}
