/**
 * A partition of one pair: in one direction, or both, the bytes of its connections do not arrive until it is healed, and
 * no end gets an error. Then they arrive late, as those that TCP sends again. A new connection waits for the end, since
 * its handshake needs both directions.
 */
import type { Socket } from 'node:net';
import type { Direction, Link } from './link.ts';

export interface PartitionParts {
  readonly links: readonly Link[];
  readonly directions: readonly Direction[];
  /** Whether a new client is the one of the pair. */
  readonly isMeant: (client: Socket) => boolean;
  /** Called at the end with the connections that have waited. */
  readonly onHeal: (waiting: readonly Socket[]) => void;
}

export class Partition {
  readonly #parts: PartitionParts;
  readonly #passedBefore: number;
  readonly #waiting: Socket[] = [];

  constructor(parts: PartitionParts) {
    this.#parts = parts;
    this.#passedBefore = this.#passed();
    for (const link of parts.links) for (const direction of parts.directions) link.close(direction);
  }

  /** Connections that it parts; those that wait are not counted. */
  get connections(): number {
    return this.#parts.links.length;
  }

  /** Bytes that have not arrived so far. */
  get withheld(): number {
    const { links, directions } = this.#parts;
    return sumOf(links, (link) => sumOf(directions, (direction) => link.passage(direction).waiting));
  }

  /** Bytes that arrived meanwhile, in the other direction. */
  get passed(): number {
    return this.#passed() - this.#passedBefore;
  }

  /** Whether a new connection waits for the end. */
  keepsOut(client: Socket): boolean {
    if (!this.#parts.isMeant(client)) return false;
    client.on('error', () => {});
    this.#waiting.push(client);
    return true;
  }

  heal(): void {
    const { links, directions, onHeal } = this.#parts;
    for (const link of links) for (const direction of directions) link.open(direction);
    onHeal(this.#waiting.splice(0));
  }

  /** Breaks the connections that wait. */
  cut(): void {
    for (const client of this.#waiting.splice(0)) client.destroy();
  }

  #passed(): number {
    return sumOf(this.#parts.links, (link) => link.passage('requests').passed + link.passage('answers').passed);
  }
}

export function sumOf<T>(list: readonly T[], count: (one: T) => number): number {
  return list.reduce((sum, one) => sum + count(one), 0);
}
