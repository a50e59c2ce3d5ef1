/** Applies definitions, and reports what a new version may break. */
import { type CompatibilityIssue, compatibilityIssues } from '../../domain/definitions/compatibility.ts';
import type { JobDefinition, PayloadSchema } from '../../domain/definitions/definition.ts';
import type { RolloutSettings } from '../../domain/definitions/rollout.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import type { AppliedDefinition, BegunRollout } from '../ports/definitions.ts';
import type { Schemas } from '../ports/ports.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { readOffers } from '../sessions/offers.ts';
import type { StepDefinitions } from '../workflows/steps/definitions.ts';
import type { Definitions } from './definitions.ts';

export interface DefinitionChangesParts {
  readonly definitions: Definitions;
  readonly steps: StepDefinitions;
  readonly schemas: Schemas;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
  readonly store: Pick<Store, 'listOffers' | 'readOpenVersions'>;
}

/** The result of applying a definition, and what it may break. */
export interface AppliedChange extends AppliedDefinition {
  readonly issues: readonly CompatibilityIssue[];
}

export class DefinitionChanges {
  readonly #parts: DefinitionChangesParts;

  constructor(parts: DefinitionChangesParts) {
    this.#parts = parts;
  }

  /** Throws the errors of `apply`; stores nothing. */
  async check(
    definition: JobDefinition,
    contentHash: Uint8Array,
    rollout: RolloutSettings | undefined,
  ): Promise<AppliedChange> {
    await this.#refuseBadSchemas(definition);
    await this.#parts.steps.check(definition);
    return this.#withIssues(await this.#parts.definitions.check(definition, contentHash, this.#begun(rollout)));
  }

  async apply(
    definition: JobDefinition,
    contentHash: Uint8Array,
    request: RequestKey | undefined,
    rollout: RolloutSettings | undefined,
  ): Promise<AppliedChange> {
    await this.#refuseBadSchemas(definition);
    const refusal: unknown = await this.#parts.steps.check(definition).catch((error) => error);
    const options = { refusal, rollout: this.#begun(rollout) };
    return this.#withIssues(await this.#parts.definitions.apply(definition, contentHash, request, options));
  }

  #begun(settings: RolloutSettings | undefined): BegunRollout | undefined {
    return settings && { settings, ownUs: this.#parts.dbClock.nowUs() };
  }

  async #refuseBadSchemas({ inputSchema, outputSchema }: JobDefinition): Promise<void> {
    await this.#refuseBadSchema(inputSchema, 'input');
    await this.#refuseBadSchema(outputSchema, 'output');
  }

  async #withIssues(applied: AppliedDefinition): Promise<AppliedChange> {
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
      readOffers(this.#parts.store, namespace),
      this.#parts.store.readOpenVersions(namespace, name, version),
    ]);
    return compatibilityIssues({ previous, next: definition, offers, openVersions });
  }
}
