/** A connection pooler in transaction mode: all clients share one connection to PostgreSQL, statement by statement. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

const READY = 'Z';
const ends = new Set(['Q', 'S']);
const LENGTH_BYTES = 4;

/** Splits a stream into messages, each with its type; the first one of a client has none. */
function messagesOf(socket: Socket, onMessage: (type: string, message: Buffer) => void, greets = false): void {
  let rest = Buffer.alloc(0);
  let typeBytes = greets ? 0 : 1;
  socket.on('error', () => {});
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      if (rest.length < typeBytes + LENGTH_BYTES) return;
      const size = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < size) return;
      const message = rest.subarray(0, size);
      const type = typeBytes === 0 ? '' : String.fromCharCode(message[0] as number);
      rest = rest.subarray(size);
      typeBytes = 1;
      onMessage(type, message);
    }
  });
}

export interface TransactionPooler {
  readonly url: string;
  stop(): void;
}

/** Before the server of `url`, which must ask for no password. */
export async function startTransactionPooler(url: string): Promise<TransactionPooler> {
  const { hostname, port } = new URL(url);
  const server = connect(Number(port), hostname);
  const greeting: Buffer[] = [];
  const waiting: { readonly client: Socket; readonly bytes: Buffer }[] = [];
  let current: Socket | undefined;
  let isReady = false;
  const next = () => {
    const request = waiting.shift();
    current = request?.client;
    if (request) server.write(request.bytes);
  };
  const greeted: Socket[] = [];
  messagesOf(server, (type, message) => {
    if (isReady) current?.write(message);
    else greeting.push(Buffer.from(message));
    if (type !== READY) return;
    isReady = true;
    for (const client of greeted.splice(0)) client.write(Buffer.concat(greeting));
    next();
  });
  const sockets: Socket[] = [server];
  const listener = createServer((client) => {
    sockets.push(client);
    const parts: Buffer[] = [];
    const onMessage = (type: string, message: Buffer) => {
      if (type === '' && isReady) client.write(Buffer.concat(greeting));
      else if (type === '') {
        greeted.push(client);
        if (greeted.length === 1) server.write(message);
      } else if (type === 'X') client.end();
      else {
        parts.push(Buffer.from(message));
        if (!ends.has(type)) return;
        waiting.push({ client, bytes: Buffer.concat(parts.splice(0)) });
        if (!current) next();
      }
    };
    messagesOf(client, onMessage, true);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const pooled = new URL(url);
  pooled.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    url: pooled.href,
    stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
