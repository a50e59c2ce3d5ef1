/** Applies definitions, and says what a new version may break. */
import { type CompatibilityIssue, compatibilityIssues } from '../domain/compatibility.ts';
import type { JobDefinition, PayloadSchema } from '../domain/definition.ts';
import type { Definitions } from './definitions.ts';
import { EngineError } from './errors.ts';
import type { Schemas } from './ports.ts';
import type { AppliedDefinition, Store } from './store-port.ts';

export interface DefinitionChangesParts {
  readonly definitions: Definitions;
  readonly schemas: Schemas;
  readonly store: Pick<Store, 'listOffers' | 'readOpenVersions'>;
}

/** What applying a definition led to, and what it may break. */
export interface AppliedChange extends AppliedDefinition {
  readonly issues: readonly CompatibilityIssue[];
}

export class DefinitionChanges {
  readonly #parts: DefinitionChangesParts;

  constructor(parts: DefinitionChangesParts) {
    this.#parts = parts;
  }

  async apply(definition: JobDefinition, contentHash: Uint8Array, validateOnly: boolean): Promise<AppliedChange> {
    await this.#refuseBadSchema(definition.inputSchema, 'input');
    await this.#refuseBadSchema(definition.outputSchema, 'output');
    const applied = await this.#parts.definitions.apply(definition, contentHash, validateOnly);
    return { ...applied, issues: applied.created ? await this.#issues(applied) : [] };
  }

  async #refuseBadSchema(schema: PayloadSchema | undefined, side: 'input' | 'output'): Promise<void> {
    const problem = schema && (await this.#parts.schemas.compile(schema));
    if (!problem) return;
    const part = problem.part && `.${problem.part}`;
    const field = `definition.${side}_${schema.kind}_schema${part}`;
    throw new EngineError('INVALID_FIELD', `${field} ${problem.message}`, {
      field,
      violations: [{ field, description: problem.message }],
    });
  }

  async #issues({ definition, previous }: AppliedDefinition): Promise<CompatibilityIssue[]> {
    const { namespace, name, version } = definition;
    const [offers, openVersions] = await Promise.all([
      this.#parts.store.listOffers(namespace),
      this.#parts.store.readOpenVersions(namespace, name, version),
    ]);
    return compatibilityIssues({ previous, next: definition, offers, openVersions });
  }
}
