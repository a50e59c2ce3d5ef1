/** Definitions, as passed between engine and store. */
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
