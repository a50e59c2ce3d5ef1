/** Numbers of the schemas that the current thread has; the least recently used are dropped first. */
import type { PayloadSchema } from '../domain/definitions/definition.ts';

const MAX = 200;
const MAX_BYTES = 16 << 20;

function keyOf(schema: PayloadSchema): string {
  return schema.kind === 'json' ? schema.text : `${schema.messageType}\0${schema.fileDescriptorSet}`;
}

export class KnownSchemas {
  #ids = new Map<string, number>();
  #bytes = 0;
  #last = 0;

  /** The schema's number, and whether the thread does not have it yet. */
  idOf(schema: PayloadSchema): { readonly id: number; readonly isNew: boolean } {
    const key = keyOf(schema);
    const known = this.#ids.get(key);
    const id = known ?? ++this.#last;
    // Also for a known schema, so that the map stays in order of use.
    this.#ids.delete(key);
    this.#ids.set(key, id);
    if (known === undefined) this.#bytes += key.length;
    return { id, isNew: known === undefined };
  }

  /** Drops the excess, but none of `used`; returns the dropped numbers. */
  trim(used: ReadonlySet<number>): number[] {
    const dropped: number[] = [];
    for (const [key, id] of this.#ids) {
      if (this.#ids.size <= MAX && this.#bytes <= MAX_BYTES) break;
      if (used.has(id)) continue;
      this.#ids.delete(key);
      this.#bytes -= key.length;
      dropped.push(id);
    }
    return dropped;
  }
}
