/**
 * Reads every event of a Muster deployment and writes each of them once to a file, also across restarts of any part.
 *
 *   node workers/events/consumer.ts [NATS_URL [CREDENTIALS [FILE [NAME]]]]
 *
 * NATS_URL and CREDENTIALS: the bus with the events; default: the nats-server that `muster start` runs itself.
 * FILE: one CloudEvent per line; default: events.jsonl. NAME: name of the durable consumer; each name gets every event.
 */
import { readFileSync } from 'node:fs';
import { AckPolicy, type Consumer, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, type NatsConnection, nanos } from '@nats-io/transport-node';
import { EventFile } from './event-file.ts';

const STREAM = 'muster-events';
/** A batch that is not acknowledged within this time is delivered again. */
const ACK_WAIT_MS = 30_000;
const PAUSE_MS = 500;

const folder = '.muster/nats';
const [
  url = `nats://127.0.0.1:${portOf(folder)}`,
  credentials = `${folder}/events.creds`,
  path = 'events.jsonl',
  name = 'journal',
] = process.argv.slice(2);

/** The port of the server that `muster start` runs. */
function portOf(where: string): string {
  return readFileSync(`${where}/port`, 'utf8').trim();
}

/** Reconnects without limit. */
function open(): Promise<NatsConnection> {
  const authenticator = credsAuthenticator(readFileSync(credentials));
  return connect({
    servers: url,
    authenticator,
    // The credentials allow no other inboxes.
    inboxPrefix: '_INBOX_EVENTS',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    waitOnFirstConnect: true,
  });
}

/**
 * The durable consumer, for which the server stores the acknowledged position. Created at the first start, then reused.
 */
async function find(connection: NatsConnection): Promise<Consumer> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  await manager.consumers.add(STREAM, {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 16,
  });
  return jetstream(connection).consumers.get(STREAM, name);
}

/**
 * Handles batches in sequence: first to disk, then acknowledged. After a crash in between, the batch is delivered
 * again.
 */
async function follow(consumer: Consumer, file: EventFile): Promise<void> {
  for await (const message of await consumer.consume({ max_messages: 16 })) {
    const added = file.add(message.json<{ id: string; source: string }[]>());
    message.ack();
    if (added > 0) console.log(`${added} events`);
  }
}

const file = new EventFile(path);
const connection = await open();
process.once('SIGTERM', () => void connection.close());
process.once('SIGINT', () => void connection.close());
while (!connection.isClosed()) {
  try {
    await follow(await find(connection), file);
  } catch (error) {
    // The stream is created with the first event; a server that restarts is back soon.
    if (!connection.isClosed()) console.error(`no events: ${(error as Error).message}`);
  }
  if (!connection.isClosed()) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
file.close();
