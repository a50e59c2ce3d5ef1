/** Definitions, as passed between engine and store. */

import type { EndedCounts } from '../../domain/base/failure-rates.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import type { NewCounts, RolloutDecision, RolloutSettings } from '../../domain/definitions/rollout.ts';
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

export interface RolloutName {
  readonly namespace: string;
  readonly definition: string;
  /** 0: the newest version that has one. */
  readonly version: number;
}

/** Times are µs since 1970. */
export interface Rollout extends RolloutName, RolloutDecision {
  readonly baseVersion: number;
  readonly settings: RolloutSettings;
  readonly counts: NewCounts;
  readonly baseCounts: EndedCounts;
  readonly startTimeUs: number;
  /** Undefined: it is open. */
  readonly endTimeUs: number | undefined;
  /** Undefined: it has not been judged yet. */
  readonly checkTimeUs: number | undefined;
}

/** A roll-out that begins with its version. */
export interface BegunRollout {
  readonly settings: RolloutSettings;
  /** The time by the replica's own clock. */
  readonly ownUs: number;
}

export interface DueRollout extends RolloutName {
  readonly baseVersion: number;
}

export interface NewRollout extends RolloutName, BegunRollout {
  readonly baseVersion: number;
}

export type ComparedVersions = Pick<Rollout, 'counts' | 'baseCounts'>;

export type RolloutWrite = Omit<Rollout, 'baseVersion' | 'startTimeUs' | 'endTimeUs'>;

export interface RolloutPage {
  readonly rollouts: readonly Rollout[];
  readonly hasMore: boolean;
}

export interface RolloutStore {
  read(name: RolloutName): Promise<Rollout | undefined>;
  lock(name: RolloutName): Promise<Rollout | undefined>;
  /** By definition, newer versions first, after the given one. */
  list(
    namespace: string,
    after: Pick<RolloutName, 'definition' | 'version'> | undefined,
    limit: number,
  ): Promise<RolloutPage>;
  insert(rollout: NewRollout): Promise<void>;
  /** Ends the open roll-out of the definition, if there is one. */
  supersede(namespace: string, definition: string, reason: string): Promise<void>;
  /** Open ones that were not judged for that long, the longest first. */
  findDue(ownUs: number, everyMs: number, limit: number): Promise<DueRollout[]>;
  /** Undefined: it has ended, or another replica judges it or has done so. */
  lockDue(
    name: RolloutName,
    ownUs: number,
    everyMs: number,
  ): Promise<{ readonly rollout: Rollout; readonly nowUs: number } | undefined>;
  /** Of the new version the newest 1,000 jobs that have ended; of the other one up to as many, submitted about when these were. */
  compare(rollout: Rollout): Promise<ComparedVersions>;
  /** Of a locked one. */
  write(rollout: RolloutWrite): Promise<Rollout>;
}

/** Versions of definitions, and the open jobs and sessions that a new version concerns. */
export interface DefinitionStore {
  /** Version 0 is the newest; with `rollout` if it has a roll-out that has not been promoted. */
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
    rollout?: BegunRollout | undefined,
  ): Promise<AppliedDefinition>;
  /** Archives all versions and returns the newest; undefined when there is none of this name. */
  archiveDefinition(namespace: string, name: string): Promise<JobDefinition | undefined>;
}
