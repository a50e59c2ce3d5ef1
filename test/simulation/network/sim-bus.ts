/**
 * The bus between replicas and sessions: loses, delays, duplicates and reorders; goes down; stops delivering to some.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { SessionMessageSchema } from '../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import type { BusOptions, Bus as WorkerBus } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import {
  encodeAssignments,
  encodeCancels,
  encodePing,
  encodeSuspends,
} from '../../../server/bus/assignment-message.ts';
import { decodeEvents, encodeEvents } from '../../../server/bus/event-codec.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';
import type { Hint } from '../../../server/engine/base/messages.ts';
import type { EventBatch, PublishedEvent } from '../../../server/engine/ports/events.ts';
import type { Bus, EventStream } from '../../../server/engine/ports/ports.ts';
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { World } from '../../../server/tools/simulate/world.ts';
import type { Conditions } from '../core/conditions.ts';
import type { History } from '../core/history.ts';
import type { Process } from '../core/process.ts';
import { SimSubscription } from './sim-subscription.ts';

export interface BusHubParts {
  readonly world: World;
  readonly conditions: Conditions;
  readonly history: History;
  readonly random: Prng;
  /** Called for each published assignment. */
  readonly onAssigned: (jobId: string) => void;
}

/** As the product's loopback: the bus counts as down after this time without an echo. */
const NOTICED_DOWN_MS = 1_250;
const NOTICED_UP_MS = 250;
const MAX_USER_PAYLOAD = 512 * 1024;
/** As in the product: a batch counts as not stored after this time without an answer. */
const ANSWER_MS = 5_000;
/** Small, so that batches are split. */
const MAX_EVENTS_MESSAGE = 2_000;

export class BusHub {
  readonly #parts: BusHubParts;
  readonly #subscriptions = new Set<SimSubscription>();
  readonly #listeners = new Map<Process, (hint: Hint) => void>();
  /** Replicas that can not reach the bus; undefined stands for all. */
  readonly #cut = new Set<string | undefined>();
  /** By message, as the stream keeps them. */
  readonly #stored = new Map<string, readonly PublishedEvent[]>();
  readonly #changedAt = new Map<string, { readonly reachable: boolean; readonly at: number }>();

  constructor(parts: BusHubParts) {
    this.#parts = parts;
  }

  /** Events of the stream, in the order of storing; repeats only if their messages had different ids. */
  get published(): PublishedEvent[] {
    return [...this.#stored.values()].flat();
  }

  /** Cuts off one replica, or all. */
  setDown(replica: string | undefined, down: boolean): void {
    if (down) this.#cut.add(replica);
    else this.#cut.delete(replica);
    if (down && replica === undefined) for (const subscription of this.#subscriptions) subscription.break();
  }

  get isDown(): boolean {
    return this.#cut.has(undefined);
  }

  /** Makes the current connections of a worker deaf; `stays`: later ones too, until `setHearing`. */
  setDeaf(worker: string, stays: boolean): void {
    for (const subscription of this.#subscriptions) if (subscription.owner === worker) subscription.deafen(stays);
  }

  setHearing(worker: string): void {
    for (const subscription of this.#subscriptions) if (subscription.owner === worker) subscription.handle();
  }

  /** The connection function of a worker's process. */
  workerBus(process: Process): WorkerBus {
    return {
      connect: (options: BusOptions) => {
        const { world, random } = this.#parts;
        const subscription = new SimSubscription({
          world,
          random,
          process,
          options,
          isDown: () => this.isDown,
          closed: () => this.#subscriptions.delete(subscription),
        });
        this.#subscriptions.add(subscription);
        return subscription;
      },
    };
  }

  /** The bus of a replica. */
  replicaBus(process: Process): Bus {
    const send = (sessionId: string, bytes: Uint8Array) =>
      this.#publish(process, () => this.#hand(`session.${sessionId}`, bytes));
    return {
      events: this.#eventStream(process),
      maxUserPayload: MAX_USER_PAYLOAD,
      assign: (sessionId, assignments) => {
        for (const { jobId } of assignments) this.#parts.onAssigned(jobId);
        send(sessionId, encodeAssignments(assignments));
      },
      cancel: (sessionId, notices) => send(sessionId, encodeCancels(notices)),
      suspend: (sessionId, notices) => send(sessionId, encodeSuspends(notices)),
      ping: (sessionId, counter) => send(sessionId, encodePing(counter)),
      announce: (hint) => this.#announce(process, hint),
      onHint: (listener) => void this.#listeners.set(process, listener),
      isUp: () => this.#seemsUp(process),
      grantAccess: (sessionId) => ({
        natsUrls: ['sim'],
        subject: `session.${sessionId}`,
        credentials: { jwt: '', seed: '', expireTimeMs: 0 },
      }),
    };
  }

  /** Removes a replica. */
  leave(process: Process): void {
    this.#listeners.delete(process);
  }

  #eventStream(process: Process): EventStream {
    const unavailable = () => new EngineError('EVENTS_UNAVAILABLE', 'the bus is down');
    return {
      isAbsent: false,
      prepare: async () => {
        if (!this.#seemsUp(process)) throw unavailable();
      },
      publish: (batch) =>
        new Promise((resolve, reject) => {
          process.after(ANSWER_MS, () => reject(unavailable()));
          this.#publish(process, () => {
            this.#store(batch);
            // The answer may be lost as well.
            this.#publish(process, () => process.deliver(() => resolve(undefined)));
          });
        }),
      read: () => {
        throw new Error('the simulation reads no events');
      },
    };
  }

  #store(batch: EventBatch): void {
    const { history } = this.#parts;
    for (const { messageId, data } of encodeEvents(batch, MAX_EVENTS_MESSAGE)) {
      if (this.#stored.has(messageId)) history.count('event message stored before');
      else this.#stored.set(messageId, decodeEvents(data));
    }
  }

  #announce(from: Process, hint: Hint): void {
    for (const [process, listener] of this.#listeners) {
      if (process !== from) this.#publish(from, () => process.deliver(() => this.#reaches(process) && listener(hint)));
    }
  }

  #hand(subject: string, bytes: Uint8Array): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.subject === subject) subscription.receive(() => fromBinary(SessionMessageSchema, bytes));
    }
  }

  /** A stopped or dead process sends nothing, and a bus that is down at either end delivers nothing. */
  #publish(from: Process, arrive: () => void): void {
    const { conditions, world, history } = this.#parts;
    if (!from.alive || !this.#reaches(from)) {
      history.count('bus message into the void');
      return;
    }
    const arrivals = conditions.message();
    if (arrivals.length === 0) history.count('bus message lost');
    if (arrivals.length > 1) history.count('bus message doubled');
    for (const ms of arrivals) world.after(ms, () => this.isDown || arrive());
  }

  #reaches(process: Process): boolean {
    return !this.isDown && !this.#cut.has(process.slot);
  }

  /** The true state, noticed late. */
  #seemsUp(process: Process): boolean {
    const { world } = this.#parts;
    const reachable = this.#reaches(process);
    const seen = this.#changedAt.get(process.name);
    if (seen?.reachable !== reachable)
      this.#changedAt.set(process.name, { reachable, at: seen ? world.now : Number.NEGATIVE_INFINITY });
    const since = world.now - (this.#changedAt.get(process.name)?.at ?? 0);
    return reachable ? since >= NOTICED_UP_MS : since < NOTICED_DOWN_MS;
  }
}
