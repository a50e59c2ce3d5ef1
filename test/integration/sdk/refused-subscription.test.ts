/** A bus that refuses a subscription and answers later messages too late: the worker connects again all the same. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { natsBus } from '../../../sdk/typescript/src/worker/thread/nats-bus.ts';
import { eventually } from '../../support/base/eventually.ts';

const INFO = JSON.stringify({ server_id: 'S', version: '2.10.0', proto: 1, max_payload: 1_048_576, headers: true });

/** Refuses the first subscription, and answers no ping with it or after it. */
function refuses(socket: Socket, isRefused: boolean): void {
  let [text, isSilent] = ['', false];
  socket.write(`INFO ${INFO}\r\n`);
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const lines = (text + chunk).split('\r\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('SUB ') && isRefused) {
        isSilent = true;
        socket.write(`-ERR 'Permissions Violation for Subscription to "${line.split(' ')[1]}"'\r\n`);
      }
      if (line === 'PING' && !isSilent) socket.write('PONG\r\n');
    }
  });
}

it('a refused subscription is given up, though the flush after it gets no answer', async () => {
  let connections = 0;
  const server = createServer((socket) => refuses(socket, connections++ === 0)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const said: boolean[] = [];
  const connection = natsBus(() => {}).connect({
    urls: () => [`nats://127.0.0.1:${(server.address() as AddressInfo).port}`],
    subject: 'sessions.one',
    credentials: () => undefined,
    onMessage: () => {},
    onStatus: (connected) => said.push(connected),
  });
  try {
    await eventually('the subscription is in force', () => said.at(-1) === true);
    expect(connections).toBe(2);
    expect(said.slice(0, -1)).not.toContain(true);
  } finally {
    connection.close();
    server.close();
    await once(server, 'close');
  }
});
