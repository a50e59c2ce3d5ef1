/** What `pg_dump` does to others: a lock of each table and one snapshot, for as long as it reads. */
import pg from 'pg';

export class Dump {
  /** Resolves with the number of tables when all of them are read. The locks and the snapshot stay. */
  readonly read: Promise<number>;
  readonly #client: pg.Client;

  private constructor(client: pg.Client, tables: readonly string[]) {
    this.#client = client;
    this.read = this.#readAll(tables);
    this.read.catch(() => {});
  }

  /** Resolves when it has its locks. */
  static async start(url: string): Promise<Dump> {
    const client = new pg.Client({ connectionString: url, application_name: 'dump' });
    await client.connect();
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ name: string; kind: string }>(
      `SELECT oid::regclass::text AS name, relkind AS kind FROM pg_class
       WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p')`,
    );
    await client.query(`LOCK TABLE ${rows.map(({ name }) => name).join(', ')} IN ACCESS SHARE MODE`);
    const tables = rows.filter(({ kind }) => kind === 'r').map(({ name }) => name);
    return new Dump(client, tables);
  }

  async #readAll(tables: readonly string[]): Promise<number> {
    for (const table of tables) await this.#client.query(`COPY ${table} TO '/dev/null'`);
    return tables.length;
  }

  async end(): Promise<void> {
    await this.#client.end();
  }
}
