/** Expressions that can't fit the schemas of what they read or of what they are for. What may fit is let be. */
import type { JobDefinition, PayloadSchema } from '../definition.ts';
import { nearName } from '../near-name.ts';
import { type Known, type Told, told, toldOfPath } from './expression-types.ts';
import { type Expr, type ParsedExpression, parseExpression } from './expressions.ts';
import type { MadeFrom } from './made-from.ts';
import { Problems, type WorkflowProblem } from './problems.ts';
import {
  mayFit,
  type PlainSchema,
  plainSchema,
  propertiesOf,
  propertyOf,
  requiredOf,
  typesOf,
} from './schema-facts.ts';
import { tellCachedWaits } from './step-cache.ts';
import { allNames, expressionsOf, type PlacedExpression } from './step-expressions.ts';
import type { Workflow, WorkflowStep } from './workflow.ts';

/** Looked at at a stretch, in characters. */
const STRETCH = 8_192;
const aList: PlainSchema = { type: 'array' };
const aTruth: PlainSchema = { type: 'boolean' };
const aText: PlainSchema = { type: 'string' };

/** What an expression has to give, and who says so. */
interface Wanted {
  readonly schema: PlainSchema | undefined;
  readonly by: string;
}

/** What the schemas of a workflow and of its steps' definitions say. */
class Facts implements Known {
  readonly input: PlainSchema | undefined;
  readonly #steps: ReadonlyMap<string, WorkflowStep>;
  readonly #definitionOf: (step: MadeFrom) => JobDefinition | undefined;
  /** Texts of 64 KiB, named by thousands of steps. */
  readonly #schemas = new Map<PayloadSchema, PlainSchema | undefined>();

  constructor(workflow: Workflow, input: PayloadSchema | undefined, definitionOf: Facts['definitionOf']) {
    this.input = this.plain(input);
    this.#steps = new Map(workflow.steps.map((step) => [step.name, step]));
    this.#definitionOf = definitionOf;
  }

  readonly definitionOf = (step: MadeFrom): JobDefinition | undefined => this.#definitionOf(step);

  readonly outputOf = (name: string): PlainSchema | undefined => {
    const step = this.#steps.get(name);
    if (step?.fanOut) return aList;
    return step && this.plain(this.#definitionOf(step)?.outputSchema);
  };

  plain(schema: PayloadSchema | undefined): PlainSchema | undefined {
    if (!schema) return undefined;
    if (!this.#schemas.has(schema)) this.#schemas.set(schema, plainSchema(schema));
    return this.#schemas.get(schema);
  }
}

/** Of a workflow in which nothing else is wrong. `definitionOf`: what a step is made from, as far as it is known. */
export function* typeProblems(
  {
    workflow,
    inputSchema,
    outputSchema,
  }: { readonly workflow: Workflow } & Pick<JobDefinition, 'inputSchema' | 'outputSchema'>,
  definitionOf: (step: MadeFrom) => JobDefinition | undefined,
  field: string,
): Generator<void, readonly WorkflowProblem[]> {
  const problems = new Problems();
  const facts = new Facts(workflow, inputSchema, definitionOf);
  const knowsNothing = !facts.input && workflow.steps.every(({ name }) => !facts.outputOf(name));
  let length = 0;
  for (const placed of expressionsOf(workflow, field)) {
    const wanted = wantedOf(placed, workflow.steps, outputSchema, facts);
    if (!wanted.schema && knowsNothing) continue;
    const parsed = parseExpression(placed.text, allNames);
    if ('problem' in parsed) continue;
    checkPaths(placed.field, parsed, facts, problems);
    if (wanted.schema) checkValue(placed.field, parsed.root, wanted, facts, problems);
    length += placed.text.length;
    if (length > STRETCH) {
      yield;
      length = 0;
    }
  }
  checkPassedOn(workflow.steps, field, facts, problems);
  tellCachedWaits(workflow.steps, definitionOf, `${field}.steps`, problems);
  return problems.found;
}

function wantedOf(
  { kind, step }: PlacedExpression,
  steps: readonly WorkflowStep[],
  outputSchema: PayloadSchema | undefined,
  facts: Facts,
): Wanted {
  switch (kind) {
    case 'input':
      return wantedInput(steps[step as number] as WorkflowStep, facts);
    case 'compensation':
      return wantedInput((steps[step as number] as WorkflowStep).compensation as MadeFrom, facts);
    case 'output':
      return { schema: facts.plain(outputSchema), by: "the workflow's output schema" };
    case 'key':
      return { schema: undefined, by: 'a cache' };
    case 'items':
      return { schema: aList, by: 'a fan-out' };
    case 'condition':
    case 'while':
      return { schema: aTruth, by: `a ${kind}` };
    default:
      return { schema: aText, by: 'a dependency' };
  }
}

function wantedInput(step: MadeFrom, facts: Facts): Wanted {
  const definition = facts.definitionOf(step);
  return { schema: facts.plain(definition?.inputSchema), by: `the input schema of ${step.definition}` };
}

/** What is asked for with has() may be missing: that is what was asked. */
function checkPaths(field: string, { paths }: ParsedExpression, facts: Facts, problems: Problems): void {
  const tested = paths.filter(({ isTest }) => isTest).map(({ parts }) => `${parts.join('.')}.`);
  for (const path of paths) {
    const text = path.parts.join('.');
    if (path.isTest || tested.some((test) => `${text}.`.startsWith(test))) continue;
    const { endsAfter, schema } = toldOfPath(path, facts);
    if (endsAfter) problems.add(field, `names ${text}${nothingText(path.parts, endsAfter, schema)}`);
  }
}

function nothingText(parts: readonly string[], before: readonly string[], schema: PlainSchema | undefined): string {
  const name = parts[before.length] as string;
  const near = schema && nearName(name, propertiesOf(schema));
  return `; by its schema ${before.join('.')} has no ${name}${near ? `, did you mean ${near}?` : ''}`;
}

/** The workflow's input goes to a step as it is, a step's output to what takes it back. */
function checkPassedOn(steps: readonly WorkflowStep[], field: string, facts: Facts, problems: Problems): void {
  for (const [i, { name, compensation }] of steps.entries()) {
    if (!compensation || compensation.input !== undefined) continue;
    const conflict = conflictText({ types: typesOf(facts.outputOf(name)) }, wantedInput(compensation, facts), '');
    if (conflict) problems.add(`${field}.steps[${i}].compensation.input`, `is left out: the step's output ${conflict}`);
  }
  for (const [i, step] of steps.entries()) {
    if (step.input !== undefined) continue;
    const wanted = wantedInput(step, facts);
    const conflict = conflictText({ types: typesOf(facts.input) }, wanted, '');
    if (conflict) problems.add(`${field}.steps[${i}].input`, `is left out: the workflow's input ${conflict}`);
  }
}

/** A value and, where it is written out as an object, what is in it. */
function checkValue(field: string, root: Expr, wanted: Wanted, facts: Facts, problems: Problems): void {
  const waiting = [{ expr: root, wanted, at: '' }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { expr, wanted, at } = next;
    const conflict = conflictText(told(expr, facts), wanted, at);
    if (conflict) problems.add(field, conflict);
    const written = conflict || !wanted.schema ? undefined : writtenObject(expr);
    if (!written) continue;
    for (const name of requiredOf(wanted.schema as PlainSchema))
      if (!written.has(name)) problems.add(field, `gives no ${at}/${name}, which ${wanted.by} requires`);
    for (const [name, value] of written) {
      const property = propertyOf(wanted.schema, name);
      if (property === 'impossible') problems.add(field, `gives ${at}/${name}, for which ${wanted.by} has no place`);
      else if (property.schema)
        waiting.push({ expr: value, wanted: { schema: property.schema, by: wanted.by }, at: `${at}/${name}` });
    }
  }
}

function conflictText({ types }: Told, { schema, by }: Wanted, at: string): string | undefined {
  const asked = typesOf(schema);
  if (!types || !asked || mayFit(types, asked)) return undefined;
  return `gives ${[...types].join(' or ')}${at && ` at ${at}`}, where ${by} wants ${[...asked].join(' or ')}`;
}

/** Undefined: it is no object that is written out, or not all its keys are known. */
function writtenObject({ exprKind }: Expr): Map<string, Expr> | undefined {
  if (exprKind.case !== 'structExpr' || exprKind.value.messageName !== '') return undefined;
  const entries = new Map<string, Expr>();
  for (const { keyKind, value } of exprKind.value.entries) {
    const key = keyKind.case === 'mapKey' ? keyKind.value.exprKind : undefined;
    const constant = key?.case === 'constExpr' ? key.value.constantKind : undefined;
    if (constant?.case !== 'stringValue' || !value) return undefined;
    entries.set(constant.value, value);
  }
  return entries;
}
