/** Definitions as a replica knows them: versions never change, so they are kept; which one is newest is asked anew each second. */
import type { JobDefinition } from '../domain/definition.ts';
import { EngineError } from './errors.ts';
import type { Clock } from './ports.ts';
import type { Store } from './store-port.ts';

const NEWEST_GOOD_FOR_MS = 1_000;
const MAX_KEPT = 10_000;

interface Newest {
  readonly definition: JobDefinition;
  readonly readAt: number;
}

function keyOf(namespace: string, name: string, version: number): string {
  return `${namespace}/${name}/${version}`;
}

export class Definitions {
  readonly #store: Pick<Store, 'readDefinition' | 'applyDefinition'>;
  readonly #clock: Clock;
  #versions = new Map<string, JobDefinition>();
  #newest = new Map<string, Newest>();

  constructor(store: Pick<Store, 'readDefinition' | 'applyDefinition'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async apply(
    definition: JobDefinition,
    contentHash: Uint8Array,
    validateOnly: boolean,
  ): Promise<{ definition: JobDefinition; created: boolean }> {
    const result = await this.#store.applyDefinition(definition, contentHash, validateOnly);
    if (!validateOnly) this.#keep(result.definition, true);
    return result;
  }

  /** Version 0 is the newest. Throws DEFINITION_NOT_FOUND, naming `field`. */
  async get(namespace: string, name: string, version: number, field = 'name'): Promise<JobDefinition> {
    const kept = this.#find(namespace, name, version);
    if (kept) return kept;
    const definition = await this.#store.readDefinition(namespace, name, version);
    if (!definition) {
      const which = version === 0 ? '' : ` in version ${version}`;
      throw new EngineError(
        'DEFINITION_NOT_FOUND',
        `namespace ${namespace} has no job definition ${name}${which}; apply it first`,
        {
          field,
          metadata: { namespace, definition: name, version: String(version) },
        },
      );
    }
    this.#keep(definition, version === 0);
    return definition;
  }

  #find(namespace: string, name: string, version: number): JobDefinition | undefined {
    if (version > 0) return this.#versions.get(keyOf(namespace, name, version));
    const newest = this.#newest.get(keyOf(namespace, name, 0));
    return newest && this.#clock.now() - newest.readAt < NEWEST_GOOD_FOR_MS ? newest.definition : undefined;
  }

  #keep(definition: JobDefinition, newest: boolean): void {
    if (this.#versions.size >= MAX_KEPT) this.#versions.clear();
    if (this.#newest.size >= MAX_KEPT) this.#newest.clear();
    const { namespace, name, version } = definition;
    this.#versions.set(keyOf(namespace, name, version), definition);
    if (newest) this.#newest.set(keyOf(namespace, name, 0), { definition, readAt: this.#clock.now() });
  }
}
