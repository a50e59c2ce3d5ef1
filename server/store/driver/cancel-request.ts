/** Asks a PostgreSQL server to cancel what a connection runs; that takes a connection of its own. */
import { Socket } from 'node:net';
import pg from 'pg';

/** What `pg` knows of a connection, beyond its types. */
interface Connected {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | object;
  readonly sslNegotiation: string;
  readonly processID: number | null;
  readonly secretKey: number | Buffer | null;
}

interface Requests {
  readonly stream: Socket;
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: unknown, secretKey: unknown): void;
}

const GIVE_UP_MS = 5_000;

/** Fails silently: the server's own time limits bound the statement, too. */
export function requestCancel(client: pg.ClientBase): void {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as Connected;
  const settings = { ssl, sslNegotiation, stream: new Socket() };
  const connection = new pg.Connection(settings as never) as pg.Connection & Requests;
  const raw = settings.stream;
  const send = () => connection.cancel(processID, secretKey);
  connection.on('error', () => raw.destroy());
  connection.on('connect', () => {
    if (!ssl) send();
    else if (sslNegotiation !== 'direct') connection.requestSsl();
  });
  connection.on('sslconnect', send);
  raw.setTimeout(GIVE_UP_MS, () => raw.destroy());
  if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
}
