/** Definitions, as passed between engine and store. */

import type { Offer } from '../../domain/definitions/compatibility.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';

/** The result of applying a definition. */
export interface AppliedDefinition {
  readonly definition: JobDefinition;
  /** False when the newest version already had the same content. */
  readonly created: boolean;
  /** The newest version before, if a new one was made. */
  readonly previous?: JobDefinition | undefined;
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
  applyDefinition(
    definition: JobDefinition,
    contentHash: Uint8Array,
    validateOnly: boolean,
  ): Promise<AppliedDefinition>;
  /** Version 0 is the newest. */
  readDefinition(namespace: string, name: string, version: number): Promise<JobDefinition | undefined>;
  /** The newest version with this content. */
  findDefinition(namespace: string, name: string, contentHash: Uint8Array): Promise<JobDefinition | undefined>;
  /** The newest version of each, by name. */
  listDefinitions(query: DefinitionQuery): Promise<DefinitionPage>;
  /** Archives all versions and returns the newest; undefined when there is none of this name. */
  archiveDefinition(namespace: string, name: string): Promise<JobDefinition | undefined>;
  /** Offers of open sessions that do not drain; at most 1,000. */
  listOffers(namespace: string): Promise<Offer[]>;
  /**
   * Versions below `version` that have open jobs, newest first. At most 20, found in bounded time: some may be missed.
   */
  readOpenVersions(namespace: string, name: string, version: number): Promise<number[]>;
}
