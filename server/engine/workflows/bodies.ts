/** Prepared bodies of workflows: the graph, and what its expressions read, found on first use. */
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import { type ExpressionReads, parseExpression, readsOf } from '../../domain/workflows/expressions/expressions.ts';
import {
  expressionsOf,
  expressionsOfStep,
  type LocatedExpression,
} from '../../domain/workflows/expressions/step-expressions.ts';
import { compileGraph, type Graph } from '../../domain/workflows/graph.ts';
import type { Workflow } from '../../domain/workflows/workflow.ts';

export type ExpressionKind = LocatedExpression['kind'];

export interface FieldExpression extends ExpressionReads {
  readonly text: string;
  /** Of the step, or of the workflow, such as `fan_out.items`. */
  readonly field: string;
}

export class Body {
  readonly workflow: Workflow;
  readonly graph: Graph;
  /** Clean-up steps: those with the role ON_FAILURE or FINALLY. */
  readonly cleanup: readonly number[];
  readonly #expressions = new Map<string, FieldExpression | undefined>();

  constructor(workflow: Workflow) {
    this.workflow = workflow;
    this.graph = compileGraph(workflow);
    this.cleanup = this.graph.steps.flatMap(({ role }, step) => (role === 'NORMAL' ? [] : [step]));
  }

  /** Undefined: the step has no such expression. */
  expression(kind: ExpressionKind, step?: number): FieldExpression | undefined {
    const key = `${kind}/${step}`;
    if (!this.#expressions.has(key)) this.#expressions.set(key, this.#read(kind, step));
    return this.#expressions.get(key);
  }

  #read(kind: ExpressionKind, step: number | undefined): FieldExpression | undefined {
    const all =
      step === undefined
        ? expressionsOf({ ...this.workflow, steps: [] }, '')
        : expressionsOfStep(this.graph.step(step), step, '');
    const located = [...all].find((one) => one.kind === kind);
    if (!located) return undefined;
    const { text, names, field } = located;
    const parsed = parseExpression(text, names);
    // It was checked when the definition was applied.
    if ('problem' in parsed) throw new Error(`an expression that was stored ${parsed.problem}`);
    return { text, field: field.slice(1), ...readsOf(parsed.paths) };
  }
}

/** Cached for the lifetime of the definition object. */
const bodies = new WeakMap<Workflow, Body>();

export function bodyOf({ name, workflow }: Pick<JobDefinition, 'name' | 'workflow'>): Body {
  if (!workflow) throw new Error(`${name} is no workflow`);
  const known = bodies.get(workflow);
  if (known) return known;
  const body = new Body(workflow);
  bodies.set(workflow, body);
  return body;
}
