/** The engine's stream of events on JetStream: bounded in bytes, age and messages, created on first use. */
import {
  type ConsumerMessages,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamClient,
  type JetStreamManager,
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

/** As long as the bus detects repeats by message id. */
const duplicateWindowMs = 120_000;

/** Marks a stream whose copies Muster may add to. */
const copiesKey = 'muster-replicas';
const metadata = { [copiesKey]: 'by cluster' };
/** Copies in a cluster: the stream survives the loss of a node. */
const clusterReplicas = 3;

/** Configuration of a new stream. An existing stream is not changed: its bounds are its owner's to set. */
const streamConfig: Omit<Partial<StreamConfig>, 'num_replicas'> & { name: string } = {
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
  metadata,
};

const absentText =
  'the NATS server has no JetStream for this account: enable it (`jetstream {}` in its configuration), or do without events';
const answerMs = 5_000;
/** Time of a pull request. A reader notices after one and a half that its consumer is gone. */
const pullMs = 10_000;
/** Maximum messages buffered for a reader. */
const bufferedMessages = 4;
/** Subject, headers and their framing. */
const marginBytes = 8 * 1024;

function unavailable(problem: string, cause: unknown): EngineError {
  return new EngineError('EVENTS_UNAVAILABLE', `the stream of events can't be used: ${problem}`, {
    cause,
    retryAfterMs: 1_000,
  });
}

/** JetStream is off. Only opening the stream shows that: a stream without a leader has no responders either. */
class Absent extends Error {}

/** JetStream's interface does not answer, or reports that it is off. */
function isOff(error: unknown): boolean {
  const { name, message = '' } = error as Error;
  return name === 'JetStreamNotEnabled' || /not enabled|no responders/i.test(message);
}

function positionGone(what: string, metadata: Readonly<Record<string, string>>): EngineError {
  return new EngineError('EVENT_POSITION_GONE', `${what}; begin at 0, the oldest event that is kept`, { metadata });
}

export class JetStreamEvents implements EventStream {
  readonly #connection: BusConnection;
  /** The JetStream client, and the connection with which it was created. */
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
      // Sent at once and in order; the replies come in any order.
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
    let epoch = after ? await this.#epochOf(after) : undefined;
    let sequence = epoch === undefined ? after : Number(after) - epoch;
    const position = () => (epoch !== undefined && sequence ? epoch + sequence : 0);
    while (!gone.aborted) {
      const found = await this.#use((client) => consumerOf(client, namespace, sequence));
      const { consumer, pending } = found;
      try {
        if (gone.aborted) return;
        epoch ??= found.epoch;
        if (epoch !== found.epoch) throw anew(position());
        if (keptOnly && pending === 0) return yield { position: position(), events: [] };
        // Ends with the connection; then reading continues at the same position.
        const messages = await consumer.consume({ max_messages: bufferedMessages, expires: pullMs });
        for await (const message of until(gone, messages)) {
          sequence = message.seq;
          yield { position: position(), events: decodeEvents(message.data) };
          if (keptOnly && message.info.pending === 0) return yield { position: position(), events: [] };
        }
      } finally {
        // The server would also delete the consumer by itself, only later.
        await consumer.delete().catch(() => false);
      }
    }
  }

  /** The stream's epoch. @throws EngineError if the stream can't continue from the position. */
  async #epochOf(after: number): Promise<number> {
    return this.#use(async (client) => {
      const { epoch, first_seq, last_seq } = await stateOf(client);
      const oldest = epoch + Math.max(first_seq - 1, 0);
      const newest = epoch + last_seq;
      if (after >= oldest && after <= newest) return epoch;
      throw positionGone(`events after position ${after} are not kept: positions reach from ${oldest} to ${newest}`, {
        position: String(after),
        oldest: String(oldest),
        newest: String(newest),
      });
    });
  }

  /**
   * Runs the work with the stream ready. Errors become EVENTS_UNAVAILABLE, and the stream is opened again next time.
   */
  async #use<T>(work: (client: JetStreamClient) => Promise<T>): Promise<T> {
    const by = this.#connection.client;
    if (!by || !this.#connection.connected) throw unavailable('the bus is down', undefined);
    if (this.#ready?.by !== by) this.#ready = { by, client: open(by) };
    try {
      const result = await work(await this.#ready.client);
      this.#isAbsent = false;
      return result;
    } catch (error) {
      if (error instanceof EngineError) throw error;
      this.#ready = undefined;
      this.#isAbsent = error instanceof Absent;
      throw unavailable((error as Error).message, error);
    }
  }
}

/** For a reader of a stream that was deleted. */
function anew(position: number): EngineError {
  return positionGone('the stream of events was made anew, and the events of the old one are gone', {
    position: String(position),
  });
}

/**
 * A consumer from a message, or for new messages only; the number of messages that wait for it; and the epoch of its
 * stream.
 */
async function consumerOf(client: JetStreamClient, namespace: string, sequence: number | undefined) {
  const consumer = await client.consumers.get(eventStreamName, {
    filter_subjects: eventsSubject(namespace),
    ...(sequence === undefined ? { deliver_policy: DeliverPolicy.New } : { opt_start_seq: sequence + 1 }),
  });
  const { num_pending: pending } = await consumer.info(true);
  const { epoch } = await stateOf(client);
  return { consumer, pending, epoch };
}

/**
 * The state of the stream. A position is the stream's epoch, its creation in microseconds since 1970, plus the sequence
 * of a message. Streams store less than a message per microsecond, so no stream reaches the epoch of its successor.
 */
async function stateOf(client: JetStreamClient) {
  const { created, state } = await (await client.jetstreamManager(false)).streams.info(eventStreamName);
  return { ...state, epoch: Date.parse(created) * 1_000 };
}

/** Messages until `gone` aborts. Removes its listener: a watch may outlive many consumers. */
async function* until(gone: AbortSignal, messages: ConsumerMessages): AsyncGenerator<JsMsg, void> {
  const stop = () => messages.stop();
  gone.addEventListener('abort', stop, { once: true });
  if (gone.aborted) stop();
  void stopOnceLost(messages);
  try {
    yield* messages;
  } finally {
    gone.removeEventListener('abort', stop);
  }
}

/** The client makes a lost consumer anew by itself, also in a stream that was made anew meanwhile. */
async function stopOnceLost(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status())
    if (type === 'ordered_consumer_recreated' || type === 'stream_not_found') messages.stop();
}

/** Finds the stream, or creates it. */
async function open(by: NatsConnection): Promise<JetStreamClient> {
  const manager = await jetstreamManager(by, { checkAPI: false, timeout: answerMs });
  try {
    const { config } = await manager.streams.info(eventStreamName);
    const isOurs = config.metadata?.[copiesKey] === metadata[copiesKey];
    if (isOurs && inCluster(by) && config.num_replicas < clusterReplicas) await addCopies(manager);
  } catch (error) {
    if (isOff(error)) throw new Absent(absentText, { cause: error });
    if (!isStreamNotFound(error)) throw error;
    await create(by, manager);
  }
  return jetstream(by, { timeout: answerMs });
}

const inCluster = ({ info }: NatsConnection) => info?.cluster !== undefined;

function isStreamNotFound(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}

async function create(by: NatsConnection, { streams }: JetStreamManager): Promise<void> {
  try {
    await streams.add({ ...streamConfig, num_replicas: inCluster(by) ? clusterReplicas : 1 });
  } catch (error) {
    if (!hasTooFewNodes(error)) throw error;
    await streams.add(streamConfig);
  }
}

/** Nodes were missing when the stream was created. If they still are, the next connection tries again. */
async function addCopies({ streams }: JetStreamManager): Promise<void> {
  try {
    await streams.update(eventStreamName, { num_replicas: clusterReplicas });
  } catch (error) {
    if (!hasTooFewNodes(error)) throw error;
  }
}

/** Fewer nodes than copies, or some of them are away. */
function hasTooFewNodes(error: unknown): boolean {
  return error instanceof JetStreamApiError && /no suitable peers|insufficient/i.test(error.message);
}
