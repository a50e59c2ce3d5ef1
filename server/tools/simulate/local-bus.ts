/** A bus within one process: messages arrive at once, and none is lost. */

import type { Assignment, CancelNotice } from '../../engine/base/messages.ts';
import type { EventBatch } from '../../engine/ports/events.ts';
import type { Bus, EventStream } from '../../engine/ports/ports.ts';
import type { World } from './world.ts';

/** A session's end of the bus. */
export interface Subscriber {
  assigned(assignments: readonly Assignment[]): void;
  cancelled(notices: readonly CancelNotice[]): void;
  pinged(counter: number): void;
}

const MAX_USER_PAYLOAD = 512 * 1024;

export class LocalBus implements Bus {
  readonly maxUserPayload = MAX_USER_PAYLOAD;
  readonly events: EventStream;
  readonly #world: World;
  readonly #subscribers = new Map<string, Subscriber>();

  constructor(world: World, onEvents: (batch: EventBatch) => void) {
    this.#world = world;
    this.events = {
      isAbsent: false,
      prepare: async () => {},
      publish: async (batch) => onEvents(batch),
      read: () => {
        throw new Error('nobody reads events here');
      },
    };
  }

  subscribe(sessionId: string, subscriber: Subscriber): void {
    this.#subscribers.set(sessionId, subscriber);
  }

  assign(sessionId: string, assignments: readonly Assignment[]): void {
    this.#send(sessionId, (subscriber) => subscriber.assigned(assignments));
  }

  cancel(sessionId: string, notices: readonly CancelNotice[]): void {
    this.#send(sessionId, (subscriber) => subscriber.cancelled(notices));
  }

  /** A scenario pauses no running job. */
  suspend(): void {}

  ping(sessionId: string, counter: number): void {
    this.#send(sessionId, (subscriber) => subscriber.pinged(counter));
  }

  /** There is only one replica, so no other listens. */
  announce(): void {}

  onHint(): void {}

  isUp(): boolean {
    return true;
  }

  grantAccess() {
    return { natsUrls: [], subject: '', credentials: { jwt: '', seed: '', expireTimeMs: 0 } };
  }

  #send(sessionId: string, send: (subscriber: Subscriber) => void): void {
    const subscriber = this.#subscribers.get(sessionId);
    if (subscriber) this.#world.after(0, () => send(subscriber));
  }
}
