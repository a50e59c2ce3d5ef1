/** A partition of a proxy: bytes wait in its directions alone, for its clients alone, and no end gets an error. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientPortsOf } from '../chaos/harness/network/sockets.ts';
import { TcpProxy } from '../chaos/harness/network/tcp-proxy.ts';
import { eventually } from '../support/base/eventually.ts';

/** What an end has got. */
class End {
  readonly socket: Socket;
  text = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => (this.text += bytes));
    socket.on('error', () => {});
  }

  has(text: string): Promise<boolean> {
    return eventually(`an end has ${text}`, () => this.text === text);
  }
}

let proxy: TcpProxy;
let server: Server;
let accepted: End[];
let opened: End[];

beforeEach(async () => {
  accepted = [];
  opened = [];
  server = createServer((socket) => accepted.push(new End(socket)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  proxy = await TcpProxy.open();
  proxy.aim((server.address() as { port: number }).port);
});

afterEach(async () => {
  for (const { socket } of [...opened, ...accepted]) socket.destroy();
  await proxy.close();
  await once(server.close(), 'close');
});

function openClient(): End {
  const client = new End(connect(proxy.port, '127.0.0.1'));
  opened.push(client);
  return client;
}

/** A client and its end at the server. */
async function pair(): Promise<readonly [client: End, server: End]> {
  const client = openClient();
  client.socket.write('hello');
  const at = accepted.length;
  const end = await eventually('the server has the connection', () => accepted[at]);
  await end.has('hello');
  return [client, end];
}

describe('a one-way partition', () => {
  it('keeps the requests while answers pass, and delivers them when it is healed', async () => {
    const [client, end] = await pair();
    const partition = proxy.part(['requests']);
    client.socket.write(' lost');
    end.socket.write('answer');
    await client.has('answer');
    await eventually('the request waits', () => partition.withheld === ' lost'.length);
    expect([end.text, partition.passed, partition.connections]).toEqual(['hello', 'answer'.length, 1]);
    partition.heal();
    await end.has('hello lost');
  });

  it('keeps the answers while requests pass', async () => {
    const [client, end] = await pair();
    const partition = proxy.part(['answers']);
    end.socket.write('answer');
    client.socket.write(' again');
    await end.has('hello again');
    await eventually('the answer waits', () => partition.withheld === 'answer'.length);
    expect(client.text).toBe('');
    partition.heal();
    await client.has('answer');
  });

  it('hides from the server that a client has closed its connection', async () => {
    const [client, end] = await pair();
    const partition = proxy.part(['requests']);
    client.socket.end();
    await once(client.socket, 'close');
    expect(end.socket.readyState).toBe('open');
    const closed = once(end.socket, 'close');
    partition.heal();
    await closed;
  });
});

describe('a two-way partition', () => {
  it('keeps both directions', async () => {
    const [client, end] = await pair();
    const partition = proxy.part(['requests', 'answers']);
    client.socket.write('1');
    end.socket.write('2');
    await eventually('both wait', () => partition.withheld === 2);
    expect([client.text, end.text, partition.passed]).toEqual(['', 'hello', 0]);
    partition.heal();
    await Promise.all([client.has('2'), end.has('hello1')]);
  });

  it('keeps new connections from the server until it is healed', async () => {
    const partition = proxy.part(['requests', 'answers']);
    const client = openClient();
    await once(client.socket, 'connect');
    client.socket.write('late');
    expect(accepted).toEqual([]);
    partition.heal();
    const end = await eventually('the server has the connection', () => accepted[0]);
    await end.has('late');
  });

  it('of the clients of another process leaves this one alone', async () => {
    const [client, end] = await pair();
    const ours = () => clientPortsOf([process.pid], proxy.port);
    expect(ours()).toContain(client.socket.localPort);
    const partition = proxy.part(['requests', 'answers'], () => clientPortsOf([process.ppid], proxy.port));
    client.socket.write('1');
    await end.has('hello1');
    partition.heal();
    const own = proxy.part(['requests', 'answers'], ours);
    expect([partition.connections, own.connections]).toEqual([0, 1]);
    own.heal();
  });

  it('leaves other clients alone', async () => {
    const [first, firstEnd] = await pair();
    const [second, secondEnd] = await pair();
    const partition = proxy.part(['requests', 'answers'], () => new Set([first.socket.localPort ?? 0]));
    first.socket.write('1');
    second.socket.write('2');
    await secondEnd.has('hello2');
    await eventually('the first waits', () => partition.withheld === 1);
    expect(firstEnd.text).toBe('hello');
    const [, third] = await pair();
    expect(third.text).toBe('hello');
    partition.heal();
    await firstEnd.has('hello1');
  });
});
