// A worker without libraries: it implements gRPC, protobuf and NATS itself, from docs/worker-protocol.md. It shows how
// little a worker in a new language needs, and proves that the page is complete. For your own work use an SDK: this
// worker has no TLS, and sends neither progress nor checkpoints nor logs.
//
//   node workers/minimal/worker.mjs 127.0.0.1:7070 [slots]
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Channel, Code } from './grpc.mjs';
import { bytes, nested, number, read } from './protobuf.mjs';
import { Session } from './session.mjs';

const PROTOCOL_VERSION = 1;
const REQUEST_LIFE_MS = 5_000;
const HOPELESS = new Set([Code.INVALID_ARGUMENT, Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED]);

const handlers = {
  greet: ({ name }) => `hello ${name}`,
  refuse: ({ why }) => {
    throw new RangeError(why);
  },
  nap: async ({ ms }, signal) => {
    await setTimeout(ms, undefined, { signal });
    return 'rested';
  },
};

class Worker {
  isDraining = false;
  #channel;
  #slots;
  #busy = 0;
  #session;

  constructor(address, slots) {
    this.#channel = new Channel(address);
    this.#slots = slots;
  }

  get handlers() {
    return handlers;
  }

  /** Handlers that have not returned keep their slots, also beyond their session. */
  get freeSlots() {
    return this.#slots - this.#busy;
  }

  call(method, fields, timeoutMs) {
    return this.#channel.call(method, fields, timeoutMs);
  }

  occupy(run) {
    this.#busy++;
    void run.finally(() => {
      this.#busy--;
      this.#session?.slotFreed();
    });
  }

  drain() {
    if (this.isDraining) return;
    this.isDraining = true;
    this.#session?.drain();
  }

  /** Runs one session after the other, until one has drained. */
  async run() {
    while (!this.isDraining) {
      const opened = await this.#open();
      if (opened === undefined) break;
      const [isLost, id] = await this.#live(opened);
      console.log(isLost ? 'session lost' : 'session drained');
      if (!isLost) await this.call('CloseSession', [bytes(1, id)], 2_000);
      else await setTimeout(500 + 500 * Math.random());
    }
    this.#channel.close();
  }

  #live({ answer, at }) {
    console.log('session opened');
    return new Promise((resolve) => {
      this.#session = new Session(this, answer, at, (isLost, id) => {
        this.#session = undefined;
        resolve([isLost, id]);
      });
      if (this.isDraining) this.#session?.drain();
    });
  }

  /** Retries under one request id for a while, so that a lost answer leaves no second session. */
  async #open() {
    let [requestId, at] = [randomUUID(), performance.now()];
    for (let wait = 100; !this.isDraining; wait = Math.min(2_000, 2 * wait)) {
      try {
        return { answer: read(await this.call('OpenSession', this.#offer(requestId), 10_000)), at };
      } catch (error) {
        if (HOPELESS.has(error.code) && error.reason !== 'LEASE_LOST') throw error;
        await setTimeout(wait * (0.5 + 0.5 * Math.random()));
        const isOld = error.reason === 'LEASE_LOST' || performance.now() - at > REQUEST_LIFE_MS;
        if (isOld) [requestId, at] = [randomUUID(), performance.now()];
      }
    }
    return undefined;
  }

  #offer(requestId) {
    const sdk = nested(4, bytes(1, 'minimal'), bytes(2, '1'), bytes(3, 'javascript without libraries'));
    const offered = Object.keys(handlers).map((name) => nested(6, bytes(1, name)));
    return [
      bytes(2, 'minimal'),
      number(3, PROTOCOL_VERSION),
      sdk,
      ...offered,
      number(9, this.#slots),
      bytes(10, requestId),
    ];
  }
}

const [address = '127.0.0.1:7070', slots = '4'] = process.argv.slice(2);
const worker = new Worker(address, Number(slots));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => worker.drain());
await worker.run();
