/** Definitions as the store shows them. */
import type { JobDefinition } from '../../domain/definitions/definition.ts';

/** What applying a definition led to. */
export interface AppliedDefinition {
  readonly definition: JobDefinition;
  /** False when the newest version had the same content already. */
  readonly created: boolean;
  /** The newest version before, where another one was made. */
  readonly previous?: JobDefinition | undefined;
}

export interface DefinitionQuery {
  readonly namespace: string;
  /** Empty: from the first. */
  readonly afterName: string;
  readonly limit: number;
  readonly showArchived: boolean;
}

export interface DefinitionPage {
  /** As many as were asked for, or fewer where they are large: at least one if there is one. */
  readonly definitions: readonly JobDefinition[];
  readonly hasMore: boolean;
}
