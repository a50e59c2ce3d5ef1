/** Refuses a connection pooler that gives a connection's statements to several processes of PostgreSQL. */
import pg from 'pg';

const ROUNDS = 3;

const write = (client: pg.Client, token: string) =>
  client.query("SELECT set_config('muster.connection', $1, false)", [token]);

async function read(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query("SELECT current_setting('muster.connection', true) AS token");
  return rows[0]?.token;
}

/** True if settings of two connections stay their own. */
async function keepsSettings(clients: readonly pg.Client[]): Promise<boolean> {
  for (const [i, client] of clients.entries()) await write(client, `connection ${i}`);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, client] of clients.entries()) if ((await read(client)) !== `connection ${i}`) return false;
  }
  return true;
}

/** @throws Error if settings and prepared statements of a connection do not last, as with PgBouncer's transaction mode. */
export async function refuseTransactionPooling(url: string): Promise<void> {
  const clients = [1, 2].map(
    () => new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 5_000 }),
  );
  try {
    for (const client of clients) {
      client.on('error', () => {});
      await client.connect();
    }
    if (await keepsSettings(clients)) return;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
  throw new Error(
    "PostgreSQL can't be used: a pooler in transaction mode stands before it, where settings and prepared statements of a " +
      'connection do not last. Set the mode of this database to session (PgBouncer: pool_mode=session), or name the ' +
      'address of PostgreSQL itself',
  );
}
