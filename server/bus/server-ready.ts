/** Waits until a nats-server that was just started accepts connections. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readBoundPort, type ServerFiles } from './server-files.ts';
import type { ServerProcess } from './server-process.ts';

const deadlineMs = 10_000;
const pollMs = 10;
const greetingLimit = 16_384;

/**
 * The port on which the server with this name answers.
 *
 * @param port The port that it will use; undefined if it takes a free one.
 * @throws Error if it ends first, or after 10 s.
 */
export async function awaitReady(
  server: ServerProcess,
  files: ServerFiles,
  serverName: string,
  port: number | undefined,
): Promise<number> {
  const deadline = performance.now() + deadlineMs;
  while (performance.now() < deadline) {
    if (server.hasEnded() || server.pid === undefined) {
      throw new Error(`nats-server ended while it started (${await server.ended}): ${server.lastWords()}`);
    }
    const bound = port ?? (await readBoundPort(files, server.pid));
    if (bound !== undefined && (await readServerName(bound)) === serverName) return bound;
    await delay(pollMs);
  }
  throw new Error(`nats-server was not ready after ${deadlineMs} ms: ${server.lastWords()}`);
}

/** The server name in the greeting on this port of the loopback, or undefined. */
function readServerName(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    let greeting = '';
    const finish = (name: string | undefined) => {
      socket.destroy();
      resolve(name);
    };
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      greeting += text;
      const complete = /^INFO (\{.*\}) *\r\n/.exec(greeting)?.[1];
      if (complete) finish(nameIn(complete));
      else if (greeting.length > greetingLimit) finish(undefined);
    });
    for (const event of ['error', 'end', 'timeout']) socket.once(event, () => finish(undefined));
  });
}

function nameIn(info: string): string | undefined {
  try {
    return (JSON.parse(info) as { server_name?: string }).server_name;
  } catch {
    return undefined;
  }
}
