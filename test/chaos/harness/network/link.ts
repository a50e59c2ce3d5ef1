/** A proxied connection: two sockets, and a passage for each direction. */
import type { Socket } from 'node:net';
import { type Pace, Passage } from './passage.ts';

/** From the client to the server, or back. */
export type Direction = 'requests' | 'answers';

export interface LinkParts {
  readonly client: Socket;
  readonly server: Socket;
  readonly pace: () => Pace;
  /** While it is stalled, nothing is read. */
  readonly isStalled: () => boolean;
  /** Called when both ends are closed. */
  readonly onEnd: () => void;
}

export class Link {
  /** The client's own. */
  readonly clientPort: number | undefined;
  readonly #parts: LinkParts;
  readonly #passages: Readonly<Record<Direction, Passage>>;
  /** Remaining bytes of answers before it is cut. */
  #answerBytes = Number.POSITIVE_INFINITY;

  constructor(parts: LinkParts) {
    const { client, server } = parts;
    this.#parts = parts;
    this.clientPort = client.remotePort;
    this.#passages = {
      requests: this.#carry(client, server, (bytes) => server.write(bytes)),
      answers: this.#carry(server, client, (bytes) => this.#answer(bytes)),
    };
  }

  passage(direction: Direction): Passage {
    return this.#passages[direction];
  }

  /** Nothing passes in this direction, and no end gets an error, until `open`. */
  close(direction: Direction): void {
    this.#passages[direction].close();
  }

  open(direction: Direction): void {
    this.#passages[direction].open();
    const { client, server } = this.#parts;
    // The other end learns only now that this one has closed it.
    if (client.destroyed || server.destroyed) this.destroy();
  }

  cutAfter(bytes: number): void {
    this.#answerBytes = Math.min(this.#answerBytes, bytes);
  }

  hold(): void {
    this.#parts.client.pause();
    this.#parts.server.pause();
  }

  resume(): void {
    this.#parts.client.resume();
    this.#parts.server.resume();
  }

  destroy(): void {
    this.#parts.client.destroy();
    this.#parts.server.destroy();
  }

  #answer(bytes: Buffer): boolean {
    const { client, server } = this.#parts;
    const passing = bytes.subarray(0, this.#answerBytes);
    const hasCapacity = client.write(passing);
    this.#answerBytes -= passing.length;
    if (this.#answerBytes <= 0) server.destroy();
    return hasCapacity;
  }

  #carry(from: Socket, to: Socket, write: (bytes: Buffer) => boolean): Passage {
    const { isStalled, pace, onEnd } = this.#parts;
    const passage = new Passage({
      pace,
      pass: (bytes) => to.destroyed || write(bytes),
      resume: () => isStalled() || from.resume(),
    });
    from.on('data', (bytes) => {
      if (!passage.add(bytes)) from.pause();
    });
    to.on('drain', () => passage.isFull || isStalled() || from.resume());
    // The end follows.
    from.on('error', () => {});
    from.on('close', () => {
      passage.end();
      if (!passage.isClosed) to.destroy();
      if (to.destroyed) onEnd();
    });
    return passage;
  }
}
