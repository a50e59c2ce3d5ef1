/** The engine's stream of events on JetStream: bounded in bytes, age and messages, made by whoever needs it first. */
import {
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { headers, type NatsConnection, nanos } from '@nats-io/transport-node';
import { EngineError } from '../engine/base/errors.ts';
import type { EventBatch } from '../engine/ports/events.ts';
import type { EventPage, EventRange, EventStream } from '../engine/ports/ports.ts';
import type { BusConnection } from './connection.ts';
import { decodeEvents, encodeEvents, eventsContentType } from './event-codec.ts';
import { eventStreamName, eventsSubject } from './subjects.ts';

/** As long as the bus tells repeats of a message by their id. */
const duplicateWindowMs = 120_000;

/** What the stream is made with. One that is there already stays as it is: these bounds are its owner's to change. */
const streamConfig: Partial<StreamConfig> & { name: string } = {
  name: eventStreamName,
  subjects: [eventsSubject('*')],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_bytes: 256 << 20,
  max_age: nanos(86_400_000),
  max_msgs: 1_000_000,
  duplicate_window: nanos(duplicateWindowMs),
  allow_direct: true,
};

const absentText =
  'the NATS server has no JetStream for this account: enable it (`jetstream {}` in its configuration), or do without events';
const answerMs = 5_000;
/** Messages that wait for a reader. */
const bufferedMessages = 4;
/** Subject, headers and their framing. */
const marginBytes = 8 * 1024;

function unavailable(problem: string, cause: unknown): EngineError {
  return new EngineError('EVENTS_UNAVAILABLE', `the stream of events can't be used: ${problem}`, {
    cause,
    retryAfterMs: 1_000,
  });
}

/** Nobody answers for JetStream, or it says itself that it is off. */
function isAbsent(error: unknown): boolean {
  const { name, message = '' } = error as Error;
  return name === 'JetStreamNotEnabled' || /not enabled|no responders/i.test(message);
}

export class JetStreamEvents implements EventStream {
  readonly #connection: BusConnection;
  /** With which the stream was found, and by way of which client. */
  #ready: { readonly by: NatsConnection; readonly client: Promise<JetStreamClient> } | undefined;
  #isAbsent = false;

  constructor(connection: BusConnection) {
    this.#connection = connection;
  }

  get isAbsent(): boolean {
    return this.#isAbsent;
  }

  async prepare(): Promise<void> {
    await this.#use(async () => {});
  }

  async publish(batch: EventBatch): Promise<void> {
    await this.#use(async (client) => {
      const subject = eventsSubject(batch.namespace);
      const messages = encodeEvents(batch, this.#connection.maxPayload - marginBytes);
      // Sent at once and in their order; the answers come as they come.
      await Promise.all(
        messages.map(({ messageId, data }) => {
          const fields = headers();
          fields.set('content-type', eventsContentType);
          return client.publish(subject, data, { msgID: messageId, headers: fields, timeout: answerMs });
        }),
      );
    });
  }

  async *read({ namespace, after, keptOnly }: EventRange, gone: AbortSignal): AsyncGenerator<EventPage, void> {
    let position = after === undefined ? undefined : await this.#checked(after);
    while (!gone.aborted) {
      const { consumer, pending } = await this.#use((client) => consumerOf(client, namespace, position));
      try {
        if (gone.aborted) return;
        if (keptOnly && pending === 0) return yield { position: position ?? 0, events: [] };
        // Ends when the connection does: then it is read on from where it was.
        for await (const message of until(gone, await consumer.consume({ max_messages: bufferedMessages }))) {
          position = message.seq;
          yield { position, events: decodeEvents(message.data) };
          if (keptOnly && message.info.pending === 0) return yield { position, events: [] };
        }
      } finally {
        // The server forgets it by itself as well, only later.
        await consumer.delete().catch(() => false);
      }
    }
  }

  /** A position that the stream can go on from. */
  async #checked(after: number): Promise<number> {
    return this.#use(async (client) => {
      const manager = await client.jetstreamManager(false);
      const { first_seq, last_seq } = (await manager.streams.info(eventStreamName)).state;
      if (after > last_seq || (after > 0 && after + 1 < first_seq)) {
        const kept = last_seq >= first_seq ? `from ${first_seq - 1} to ${last_seq}` : `${last_seq}`;
        throw new EngineError(
          'EVENT_POSITION_GONE',
          `events after position ${after} are not kept: positions reach ${kept}; begin at 0, the oldest event that is kept`,
          { metadata: { position: String(after), oldest: String(first_seq - 1), newest: String(last_seq) } },
        );
      }
      return after;
    });
  }

  /** With the stream there; what goes wrong is told as EVENTS_UNAVAILABLE, and the stream looked for again. */
  async #use<T>(work: (client: JetStreamClient) => Promise<T>): Promise<T> {
    if (!this.#connection.connected) throw unavailable('the bus is down', undefined);
    const by = this.#connection.client;
    if (this.#ready?.by !== by) this.#ready = { by, client: open(by) };
    try {
      const result = await work(await this.#ready.client);
      this.#isAbsent = false;
      return result;
    } catch (error) {
      if (error instanceof EngineError) throw error;
      this.#ready = undefined;
      this.#isAbsent = isAbsent(error);
      throw unavailable(this.#isAbsent ? absentText : (error as Error).message, error);
    }
  }
}

/** A consumer of what came after a position, or of what is to come; and how many messages wait for it. */
async function consumerOf(client: JetStreamClient, namespace: string, position: number | undefined) {
  const consumer = await client.consumers.get(eventStreamName, {
    filter_subjects: eventsSubject(namespace),
    ...(position === undefined ? { deliver_policy: DeliverPolicy.New } : { opt_start_seq: position + 1 }),
  });
  return { consumer, pending: (await consumer.info(true)).num_pending };
}

/** Messages until `gone` is aborted. Leaves nothing at it: a watch may outlive many consumers. */
async function* until(gone: AbortSignal, messages: ConsumerMessages): AsyncGenerator<JsMsg, void> {
  const stop = () => messages.stop();
  gone.addEventListener('abort', stop, { once: true });
  if (gone.aborted) stop();
  try {
    yield* messages;
  } finally {
    gone.removeEventListener('abort', stop);
  }
}

/** Finds the stream, or makes it. */
async function open(by: NatsConnection): Promise<JetStreamClient> {
  const manager = await jetstreamManager(by, { checkAPI: false, timeout: answerMs });
  try {
    await manager.streams.info(eventStreamName);
  } catch (error) {
    if (!(error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)) throw error;
    await manager.streams.add(streamConfig);
  }
  return jetstream(by, { timeout: answerMs });
}
