/**
 * A replica's cache of definitions: versions never change, so they are kept; the newest version is read again each
 * second.
 */
import type { JobDefinition, PayloadSchema } from '../../domain/definitions/definition.ts';
import { EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { AppliedDefinition, DefinitionPage, DefinitionQuery } from '../ports/definitions.ts';
import type { Clock } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { refuseReserved } from './reserved-names.ts';

const NEWEST_GOOD_FOR_MS = 1_000;
const MAX_KEPT = 10_000;
/** Max memory of cached schemas and workflows, roughly in bytes: a definition may have megabytes. */
const MAX_KEPT_SIZE = 128 << 20;
/**
 * Bytes for each character of a workflow, with its graph and what its expressions read. Measured: 7.4 MB for 10,000
 * steps with an input each, 1.6 million characters.
 */
const BYTES_PER_CHARACTER = 5;

interface Newest {
  readonly definition: JobDefinition;
  readonly readAt: number;
}

export type StoredDefinitions = Pick<
  Store,
  'together' | 'readDefinition' | 'findDefinition' | 'applyDefinition' | 'listDefinitions' | 'archiveDefinition'
>;

function keyOf(namespace: string, name: string, version: number): string {
  return `${namespace}/${name}/${version}`;
}

export class Definitions {
  readonly #store: StoredDefinitions;
  readonly #clock: Clock;
  #versions = new Map<string, JobDefinition>();
  #newest = new Map<string, Newest>();
  #keptSize = 0;

  constructor(store: StoredDefinitions, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Stores nothing. */
  check(definition: JobDefinition, contentHash: Uint8Array): Promise<AppliedDefinition> {
    return this.#store.applyDefinition(definition, contentHash, true);
  }

  /**
   * For a repeat: the version with this content. Throws REQUEST_ID_REUSED. Throws `refusal`, if given, unless the call
   * is a repeat: its request was valid when it was carried out.
   */
  async apply(
    definition: JobDefinition,
    contentHash: Uint8Array,
    request: RequestKey | undefined,
    refusal?: unknown,
  ): Promise<AppliedDefinition> {
    const { namespace, name } = definition;
    const done = await once(this.#store, namespace, request, async (store) => {
      if (refusal) throw refusal;
      return store.applyDefinition(definition, contentHash, false);
    });
    if (!done.repeated) {
      this.#keepNewest(done.value.definition, this.#clock.now());
      return done.value;
    }
    const found = await this.#store.findDefinition(namespace, name, contentHash);
    if (!found) throw notFound(namespace, name, 0, 'definition');
    return { definition: found, created: false };
  }

  /**
   * Refuses new jobs of the definition: here at once, at other replicas within a second. Throws DEFINITION_NOT_FOUND
   * and REQUEST_ID_REUSED.
   */
  async archive(namespace: string, name: string, request: RequestKey | undefined): Promise<JobDefinition> {
    const missing = () => notFound(namespace, name, 0, 'name');
    const done = await once(this.#store, namespace, request, async (store) => {
      const archived = await store.archiveDefinition(namespace, name);
      if (!archived) throw missing();
      return archived;
    });
    const definition = done.repeated ? await this.#store.readDefinition(namespace, name, 0) : done.value;
    if (!definition) throw missing();
    this.#keepNewest(definition, this.#clock.now());
    return definition;
  }

  list(query: DefinitionQuery): Promise<DefinitionPage> {
    return this.#store.listDefinitions(query);
  }

  /** Version 0 is the newest. Throws DEFINITION_NOT_FOUND, naming `field`. `archiveTimeUs` may be missing. */
  async get(namespace: string, name: string, version: number, field = 'name'): Promise<JobDefinition> {
    if (version === 0) return this.#getNewest(namespace, name, field);
    const kept = this.#versions.get(keyOf(namespace, name, version));
    if (kept) return kept;
    const definition = await this.#store.readDefinition(namespace, name, version);
    if (!definition) throw notFound(namespace, name, version, field);
    return this.#keepVersion(definition);
  }

  /** As `get`, with the archive time, at most a second old. */
  async show(namespace: string, name: string, version: number): Promise<JobDefinition> {
    const definition = await this.get(namespace, name, version);
    const { archiveTimeUs } = await this.#getNewest(namespace, name, 'name');
    return { ...definition, archiveTimeUs };
  }

  /** As `get`, for a new job. Also throws DEFINITION_ARCHIVED, and INVALID_FIELD for a reserved name. */
  async getForJob(namespace: string, name: string, version: number, field: string): Promise<JobDefinition> {
    refuseReserved(name, field);
    const definition = await this.get(namespace, name, version, field);
    const newest = version === 0 ? definition : await this.#getNewest(namespace, name, field);
    if (newest.archiveTimeUs !== undefined) {
      throw new EngineError(
        'DEFINITION_ARCHIVED',
        `${field}: ${name} in namespace ${namespace} is archived and takes no new jobs; apply it again to bring it back`,
        { field, metadata: { namespace, definition: name } },
      );
    }
    return definition;
  }

  /**
   * The result of `getForJob` if it is cached; undefined: the store must be asked. `archiveTimeUs` is as in
   * `getForJob`.
   */
  known(namespace: string, name: string, version: number): JobDefinition | undefined {
    const newest = this.#newest.get(keyOf(namespace, name, 0));
    if (!newest || this.#clock.now() - newest.readAt >= NEWEST_GOOD_FOR_MS) return undefined;
    const { archiveTimeUs } = newest.definition;
    const found = version === 0 ? newest.definition : this.#versions.get(keyOf(namespace, name, version));
    return found && { ...found, archiveTimeUs };
  }

  /** The same, read through an open transaction. */
  async readWithin(
    store: Pick<StoredDefinitions, 'readDefinition'>,
    namespace: string,
    name: string,
    version: number,
  ): Promise<JobDefinition | undefined> {
    const now = this.#clock.now();
    const newest = await store.readDefinition(namespace, name, 0);
    if (!newest) return undefined;
    const kept = this.#keepNewest(newest, now);
    if (version === 0) return kept;
    const found = await store.readDefinition(namespace, name, version);
    return found && { ...this.#keepVersion(found), archiveTimeUs: newest.archiveTimeUs };
  }

  async #getNewest(namespace: string, name: string, field: string): Promise<JobDefinition> {
    const kept = this.#newest.get(keyOf(namespace, name, 0));
    const now = this.#clock.now();
    if (kept && now - kept.readAt < NEWEST_GOOD_FOR_MS) return kept.definition;
    const definition = await this.#store.readDefinition(namespace, name, 0);
    if (!definition) throw notFound(namespace, name, 0, field);
    return this.#keepNewest(definition, now);
  }

  /** `readAt` is when the read began: a read that began before a change made here must not undo that change. */
  #keepNewest(definition: JobDefinition, readAt: number): JobDefinition {
    const newest = { ...this.#keepVersion(definition), archiveTimeUs: definition.archiveTimeUs };
    const key = keyOf(definition.namespace, definition.name, 0);
    if ((this.#newest.get(key)?.readAt ?? 0) > readAt) return newest;
    if (this.#newest.size >= MAX_KEPT) this.#newest.clear();
    this.#newest.set(key, { definition: newest, readAt });
    return newest;
  }

  /** The cached one: a version that is read again must not be prepared again. */
  #keepVersion(definition: JobDefinition): JobDefinition {
    const key = keyOf(definition.namespace, definition.name, definition.version);
    const known = this.#versions.get(key);
    if (known) return known;
    if (this.#versions.size >= MAX_KEPT || this.#keptSize > MAX_KEPT_SIZE) {
      this.#versions.clear();
      this.#newest.clear();
      this.#keptSize = 0;
    }
    this.#keptSize += sizeOf(definition);
    // Versions are cached for good, so without the archive time, which may change.
    const kept = { ...definition, archiveTimeUs: undefined };
    this.#versions.set(key, kept);
    return kept;
  }
}

function sizeOf({ inputSchema, outputSchema, workflow }: JobDefinition): number {
  const characters = workflow ? JSON.stringify(workflow).length : 0;
  return schemaLength(inputSchema) + schemaLength(outputSchema) + characters * BYTES_PER_CHARACTER;
}

function schemaLength(schema: PayloadSchema | undefined): number {
  if (!schema) return 0;
  return schema.kind === 'json' ? schema.text.length : schema.fileDescriptorSet.length;
}

function notFound(namespace: string, name: string, version: number, field: string): EngineError {
  const which = version === 0 ? '' : ` in version ${version}`;
  return new EngineError(
    'DEFINITION_NOT_FOUND',
    `namespace ${namespace} has no job definition ${name}${which}; apply it first`,
    { field, metadata: { namespace, definition: name, version: String(version) } },
  );
}
