/** Definitions, as passed between engine and store. */

import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { PlacementOffer } from '../../domain/explain/placement-reason.ts';

/** The result of applying a definition. */
export interface AppliedDefinition {
  readonly definition: JobDefinition;
  /** False when the newest version already had the same content. */
  readonly created: boolean;
  /** The newest version before, if a new one was made. */
  readonly previous?: JobDefinition | undefined;
}

/** A version as stored. */
export interface StoredDefinition {
  readonly definition: JobDefinition;
  readonly contentHash: Uint8Array;
}

export interface DefinitionQuery {
  readonly namespace: string;
  /** Empty: from the first one. */
  readonly afterName: string;
  readonly limit: number;
  readonly showArchived: boolean;
}

export interface DefinitionPage {
  /** Up to the limit; fewer if they are large, but at least one if there is one. */
  readonly definitions: readonly JobDefinition[];
  readonly hasMore: boolean;
}

/** Versions of definitions, and the open jobs and sessions that a new version concerns. */
export interface DefinitionStore {
  /** Version 0 is the newest. */
  readDefinition(namespace: string, name: string, version: number): Promise<JobDefinition | undefined>;
  readNewestDefinition(namespace: string, name: string): Promise<StoredDefinition | undefined>;
  /** The newest version with this content. */
  findDefinition(namespace: string, name: string, contentHash: Uint8Array): Promise<JobDefinition | undefined>;
  /** The newest version of each, by name. */
  listDefinitions(query: DefinitionQuery): Promise<DefinitionPage>;
  /** Stores a version. Returns when; undefined: the version exists already. */
  insertDefinition(definition: JobDefinition, contentHash: Uint8Array): Promise<number | undefined>;
  /** All versions, if there are any. */
  putInArchive(namespace: string, name: string): Promise<void>;
  takeFromArchive(namespace: string, name: string): Promise<void>;
  /** Offers of open sessions that do not drain, by session id. */
  listOffers(namespace: string, afterSessionId: string, limit: number): Promise<PlacementOffer[]>;
  /**
   * Versions below `version` that have open jobs, newest first. At most 20, found in bounded time: some may be missed.
   */
  readOpenVersions(namespace: string, name: string, version: number): Promise<number[]>;
}

export interface DefinitionTransactions {
  /** Stores a version unless the newest one has the same content. Takes the definition out of the archive in any case. */
  applyDefinition(
    definition: JobDefinition,
    contentHash: Uint8Array,
    validateOnly: boolean,
  ): Promise<AppliedDefinition>;
  /** Archives all versions and returns the newest; undefined when there is none of this name. */
  archiveDefinition(namespace: string, name: string): Promise<JobDefinition | undefined>;
}
