/**
 * A replica's cache of definitions: versions never change, so they are kept; the newest version is read again each
 * second.
 */
import type { JobDefinition, PayloadSchema } from '../../domain/definitions/definition.ts';
import { chosenVersion, type VersionChoice } from '../../domain/definitions/rollout.ts';
import { countNeeds } from '../../domain/workflows/prefixed-needs.ts';
import { EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { AppliedDefinition, BegunRollout, DefinitionPage, DefinitionQuery } from '../ports/definitions.ts';
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
/** A few prefixes may stand for a million needs. */
const BYTES_PER_NEED = 4;

interface Newest {
  readonly definition: JobDefinition;
  readonly readAt: number;
}

export type StoredDefinitions = Pick<
  Store,
  'together' | 'readDefinition' | 'findDefinition' | 'applyDefinition' | 'listDefinitions' | 'archiveDefinition'
>;

type Labels = Readonly<Record<string, string>>;

/** The version that a job with these labels takes. */
export type VersionOf = (labels: Labels) => JobDefinition;

function keyOf(namespace: string, name: string, version: number): string {
  return `${namespace}/${name}/${version}`;
}

export class Definitions {
  readonly #store: StoredDefinitions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #versions = new Map<string, JobDefinition>();
  #newest = new Map<string, Newest>();
  #keptSize = 0;

  /** `random`: from 0 up to 1. */
  constructor(store: StoredDefinitions, clock: Clock, random: () => number) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
  }

  /** Stores nothing. */
  check(definition: JobDefinition, contentHash: Uint8Array, rollout?: BegunRollout): Promise<AppliedDefinition> {
    return this.#store.applyDefinition(definition, contentHash, true, rollout);
  }

  /**
   * For a repeat: the version with this content. Throws REQUEST_ID_REUSED. Throws `refusal`, if given, unless the call
   * is a repeat: its request was valid when it was carried out.
   */
  async apply(
    definition: JobDefinition,
    contentHash: Uint8Array,
    request: RequestKey | undefined,
    { refusal, rollout }: { readonly refusal?: unknown; readonly rollout?: BegunRollout | undefined } = {},
  ): Promise<AppliedDefinition> {
    const { namespace, name } = definition;
    const done = await once(this.#store, namespace, request, async (store) => {
      if (refusal) throw refusal;
      return store.applyDefinition(definition, contentHash, false, rollout);
    });
    if (!done.repeated) {
      // A version that is rolled out is read again, with its roll-out.
      if (rollout && done.value.created) this.#newest.delete(keyOf(namespace, name, 0));
      else this.#keepNewest(done.value.definition, this.#clock.now());
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

  /** As `forJobs`, for one job without labels. */
  async getForJob(namespace: string, name: string, version: number, field: string): Promise<JobDefinition> {
    return (await this.forJobs(namespace, name, version, field))({});
  }

  /**
   * As `get`, for new jobs: gives the version that a job with these labels takes. Also throws DEFINITION_ARCHIVED, and
   * INVALID_FIELD for a reserved name.
   */
  async forJobs(namespace: string, name: string, version: number, field: string): Promise<VersionOf> {
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
    const { rollout } = newest;
    if (version !== 0 || !rollout) return () => definition;
    const base = await this.get(namespace, name, rollout.baseVersion, field);
    return (labels) => (this.#chosen(rollout, labels) === definition.version ? definition : base);
  }

  #chosen(rollout: VersionChoice, labels: Readonly<Record<string, string>>): number {
    return chosenVersion(rollout, labels, this.#random);
  }

  /**
   * The result of `getForJob` if it is cached; undefined: the store must be asked. `archiveTimeUs` is as in
   * `getForJob`.
   */
  known(namespace: string, name: string, version: number, labels: Labels = {}): JobDefinition | undefined {
    const newest = this.#newest.get(keyOf(namespace, name, 0));
    if (!newest || this.#clock.now() - newest.readAt >= NEWEST_GOOD_FOR_MS) return undefined;
    const { archiveTimeUs, rollout } = newest.definition;
    const wanted = version === 0 && rollout ? this.#chosen(rollout, labels) : version;
    const found = wanted === 0 ? newest.definition : this.#versions.get(keyOf(namespace, name, wanted));
    return found && { ...found, archiveTimeUs };
  }

  /** The same, read through an open transaction. */
  async readWithin(
    store: Pick<StoredDefinitions, 'readDefinition'>,
    namespace: string,
    name: string,
    version: number,
    labels: Labels = {},
  ): Promise<JobDefinition | undefined> {
    const now = this.#clock.now();
    const newest = await store.readDefinition(namespace, name, 0);
    if (!newest) return undefined;
    const kept = this.#keepNewest(newest, now);
    const wanted = version === 0 && newest.rollout ? this.#chosen(newest.rollout, labels) : version;
    if (wanted === 0 || wanted === newest.version) return kept;
    const found = await store.readDefinition(namespace, name, wanted);
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
    const { archiveTimeUs, rollout } = definition;
    const newest = { ...this.#keepVersion(definition), archiveTimeUs, rollout };
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
    // Versions are cached for good, so without what may change.
    const kept = { ...definition, archiveTimeUs: undefined, rollout: undefined };
    this.#versions.set(key, kept);
    return kept;
  }
}

function sizeOf({ inputSchema, outputSchema, workflow }: JobDefinition): number {
  const ofWorkflow = workflow
    ? JSON.stringify(workflow).length * BYTES_PER_CHARACTER + countNeeds(workflow.steps) * BYTES_PER_NEED
    : 0;
  return schemaLength(inputSchema) + schemaLength(outputSchema) + ofWorkflow;
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
