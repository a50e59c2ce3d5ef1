/** Bytes of requests that have begun to arrive and have not ended: bounded for each connection and in all. */

const MAX_BYTES = 128 << 20;
const MAX_BYTES_PER_CONNECTION = 64 << 20;

/** The bytes of one request. */
export interface IncomingRequest {
  /** False: these bytes are too many; the request must be refused. */
  add(bytes: number): boolean;
  /** The request has arrived, or its connection has gone. May be called twice. */
  end(): void;
}

export interface IncomingLimits {
  /** Default 128 MiB. */
  readonly maxBytes?: number;
  /** Default 64 MiB. */
  readonly maxBytesPerConnection?: number;
}

export class IncomingBytes {
  readonly #limits: IncomingLimits;
  readonly #ofConnections = new WeakMap<object, number>();
  #total = 0;

  constructor(limits: IncomingLimits = {}) {
    this.#limits = limits;
  }

  /** Bytes of all requests that have not ended. */
  get total(): number {
    return this.#total;
  }

  begin(connection: object): IncomingRequest {
    let held = 0;
    return {
      add: (bytes) => {
        if (this.#isOver(connection, bytes)) return false;
        held += bytes;
        this.#change(connection, bytes);
        return true;
      },
      end: () => {
        this.#change(connection, -held);
        held = 0;
      },
    };
  }

  #isOver(connection: object, bytes: number): boolean {
    const { maxBytes = MAX_BYTES, maxBytesPerConnection = MAX_BYTES_PER_CONNECTION } = this.#limits;
    const ofConnection = this.#ofConnections.get(connection) ?? 0;
    return this.#total + bytes > maxBytes || ofConnection + bytes > maxBytesPerConnection;
  }

  #change(connection: object, bytes: number): void {
    this.#total += bytes;
    this.#ofConnections.set(connection, (this.#ofConnections.get(connection) ?? 0) + bytes);
  }
}
