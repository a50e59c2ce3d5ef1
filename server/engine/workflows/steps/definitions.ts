/**
 * Checks the definitions of a workflow's steps: they exist, take jobs, match its expressions, and do not contain the
 * workflow itself.
 */
import type { JobDefinition } from '../../../domain/definitions/definition.ts';
import { typeProblems } from '../../../domain/workflows/checks/check-types.ts';
import { definitionsOf, type LocatedDefinition, type MadeFrom } from '../../../domain/workflows/made-from.ts';
import { MAX_DEPTH, type Workflow } from '../../../domain/workflows/workflow.ts';
import { pause } from '../../base/collisions.ts';
import { EngineError, type ErrorReason } from '../../base/errors.ts';
import type { Definitions } from '../../definitions/definitions.ts';
import { refuseReserved } from '../../definitions/reserved-names.ts';
import type { Timers } from '../../ports/ports.ts';

const FIELD = 'definition.workflow';
/** Max definitions per read. */
const BATCH = 50;
const MAX_NAMED = 20;

type Found = ReadonlyMap<string, JobDefinition | undefined>;

type WorkflowDefinition = JobDefinition & { readonly workflow: Workflow };

interface Walk {
  readonly namespace: string;
  /** Field of the definition at which the walk started. */
  readonly field: string;
  /** The chain of workflows below each visited definition. */
  readonly known: Map<string, readonly string[]>;
}

const keyOf = (step: MadeFrom) => `${step.definition}/${step.definitionVersion}`;

export class StepDefinitions {
  readonly #definitions: Pick<Definitions, 'show'>;
  readonly #timers: Timers;

  constructor(definitions: Pick<Definitions, 'show'>, timers: Timers) {
    this.#definitions = definitions;
    this.#timers = timers;
  }

  /**
   * Throws WORKFLOW_NESTING, DEFINITION_NOT_FOUND, DEFINITION_ARCHIVED and INVALID_FIELD. Yields to other work in
   * between.
   */
  async check(definition: JobDefinition): Promise<void> {
    const { workflow } = definition;
    if (!workflow) return;
    const named = definitionsOf(workflow);
    for (const one of named) refuseReserved(one.definition, fieldOf(one));
    const self = named.find((one) => one.definition === definition.name);
    if (self) throw inItself(fieldOf(self), [definition.name, definition.name]);
    const found = await this.#read(definition.namespace, named);
    refuse('DEFINITION_NOT_FOUND', definition.namespace, named, (step) => !found.get(keyOf(step)));
    refuse(
      'DEFINITION_ARCHIVED',
      definition.namespace,
      named,
      (step) => found.get(keyOf(step))?.archiveTimeUs !== undefined,
    );
    await this.#refuseNesting({ ...definition, workflow }, found);
    await this.#refuseMisfits({ ...definition, workflow }, found);
  }

  async #read(namespace: string, steps: readonly MadeFrom[]): Promise<Found> {
    const wanted = [...new Map(steps.map((step) => [keyOf(step), step]))];
    const found = new Map<string, JobDefinition | undefined>();
    for (let at = 0; at < wanted.length; at += BATCH) {
      const batch = wanted.slice(at, at + BATCH);
      const shown = await Promise.all(batch.map(([, step]) => this.#show(namespace, step)));
      for (const [i, [key]] of batch.entries()) found.set(key, shown[i]);
    }
    return found;
  }

  async #show(namespace: string, { definition, definitionVersion }: MadeFrom): Promise<JobDefinition | undefined> {
    try {
      const shown = await this.#definitions.show(namespace, definition, definitionVersion);
      const { rollout } = shown;
      if (definitionVersion !== 0 || rollout?.state !== 'ROLLED_BACK') return shown;
      return await this.#definitions.show(namespace, definition, rollout.baseVersion);
    } catch (error) {
      if (error instanceof EngineError && error.reason === 'DEFINITION_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Uses the versions that the steps would be made from now; of a definition that is rolled out, the newest. */
  async #refuseNesting({ namespace, name, workflow }: WorkflowDefinition, found: Found): Promise<void> {
    const known = new Map<string, readonly string[]>();
    for (const one of definitionsOf(workflow)) {
      const key = keyOf(one);
      const definition = found.get(key);
      if (definition?.workflow && !known.has(key))
        await this.#chainFrom({ namespace, field: fieldOf(one), known }, key, definition, [name]);
    }
  }

  /** The longest chain of workflows from this definition down. Throws WORKFLOW_NESTING. */
  async #chainFrom(
    walk: Walk,
    key: string,
    { name, workflow }: JobDefinition,
    trail: readonly string[],
  ): Promise<readonly string[]> {
    if (!workflow) return [];
    const chain = [...trail, name];
    if (trail.includes(name)) throw inItself(walk.field, chain.slice(trail.indexOf(name)));
    const known = walk.known.get(key);
    if (trail.length + (known?.length ?? 1) > MAX_DEPTH) throw tooDeep(walk.field, [...trail, ...(known ?? [name])]);
    if (known) return known;
    let longest: readonly string[] = [];
    for (const [inner, definition] of await this.#read(walk.namespace, definitionsOf(workflow))) {
      const below = definition ? await this.#chainFrom(walk, inner, definition, chain) : [];
      if (below.length > longest.length) longest = below;
    }
    walk.known.set(key, [name, ...longest]);
    return [name, ...longest];
  }

  async #refuseMisfits(definition: WorkflowDefinition, found: Found): Promise<void> {
    const problems = typeProblems(definition, (step) => found.get(keyOf(step)), FIELD);
    let next = problems.next();
    for (; !next.done; next = problems.next()) await pause(this.#timers, 0);
    const [first] = next.value;
    if (!first) return;
    throw new EngineError('INVALID_FIELD', `${first.field} ${first.reason}`, {
      field: first.field,
      metadata: { checked_against: 'definitions' },
      violations: next.value.map(({ field, reason }) => ({ field, description: reason })),
    });
  }
}

function fieldOf({ field }: LocatedDefinition): string {
  return `${FIELD}.${field}`;
}

function refuse(
  reason: ErrorReason & ('DEFINITION_NOT_FOUND' | 'DEFINITION_ARCHIVED'),
  namespace: string,
  named: readonly LocatedDefinition[],
  isBad: (one: MadeFrom) => boolean,
): void {
  const first = named.find(isBad);
  if (!first) return;
  const names = [...new Set(named.filter(isBad).map(textOf))];
  const shown = names.slice(0, MAX_NAMED).join(', ');
  const what =
    reason === 'DEFINITION_NOT_FOUND'
      ? `namespace ${namespace} has no job definition ${shown}; apply what steps are made from first`
      : `${shown} in namespace ${namespace} is archived and takes no new jobs; apply it again to bring it back`;
  throw new EngineError(reason, `${fieldOf(first)}: ${what}`, {
    field: fieldOf(first),
    metadata: { namespace, definition: first.definition, definitions: shown },
  });
}

function textOf({ definition, definitionVersion }: MadeFrom): string {
  return definitionVersion === 0 ? definition : `${definition}@${definitionVersion}`;
}

function inItself(field: string, chain: readonly string[]): EngineError {
  return nesting(
    field,
    chain,
    `${chain[0]} would be in itself: ${chain.join(' > ')}; give one of these steps another definition`,
  );
}

function tooDeep(field: string, chain: readonly string[]): EngineError {
  return nesting(field, chain, `more than ${MAX_DEPTH} workflows would be in each other: ${chain.join(' > ')}`);
}

function nesting(field: string, chain: readonly string[], text: string): EngineError {
  return new EngineError('WORKFLOW_NESTING', `${field}: ${text}`, { field, metadata: { chain: chain.join(' > ') } });
}
