/** Reports expressions that can't fit the schemas of what they read or produce. Anything that may fit is accepted. */

import { nearName } from '../../base/near-name.ts';
import type { JobDefinition, PayloadSchema } from '../../definitions/definition.ts';
import type { Path } from '../expressions/expression-paths.ts';
import { type ReadExpressions, readExpression, type Shape, takeExpressions } from '../expressions/expression-shape.ts';
import { type InferredType, inferPath, inferType, type Known } from '../expressions/expression-types.ts';
import { expressionsOf, type LocatedExpression } from '../expressions/step-expressions.ts';
import type { MadeFrom } from '../made-from.ts';
import { reportCachedWaits } from '../step-cache.ts';
import type { Workflow, WorkflowStep } from '../workflow.ts';
import { Problems, type WorkflowProblem } from './problems.ts';
import {
  itemsOf,
  mayFit,
  orNull,
  type PlainSchema,
  plainSchema,
  propertiesOf,
  propertyOf,
  requiredOf,
  typesOf,
} from './schema-facts.ts';
import { type Misfit, misfitOf, misfitText, orOf } from './schema-fit.ts';

/** Characters checked between two yields. */
const STRETCH = 8_192;
/** Left-out inputs checked between two yields. */
const STEPS_STRETCH = 500;
const aList: PlainSchema = { type: 'array' };
const aTruth: PlainSchema = { type: 'boolean' };
const aText: PlainSchema = { type: 'string' };

/** The type that an expression must produce, and the schema's owner. */
interface Wanted {
  readonly schema: PlainSchema | undefined;
  readonly by: string;
  /** Name of the value in messages, such as `input`. */
  readonly name: string;
}

/** The schemas of a workflow and of its steps' definitions. */
class Facts {
  readonly input: PlainSchema | undefined;
  readonly expressions: ReadExpressions;
  readonly #steps: ReadonlyMap<string, WorkflowStep>;
  readonly #definitionOf: (step: MadeFrom) => JobDefinition | undefined;
  /** Cached by schema: texts of up to 64 KiB that thousands of steps may share. */
  readonly #schemas = new Map<PayloadSchema, PlainSchema | undefined>();
  /** List schemas of the outputs of fan-outs, by the item's schema. */
  readonly #lists = new Map<PlainSchema, PlainSchema>();
  readonly #misfits = new Map<PlainSchema, Map<PlainSchema, Misfit | undefined>>();

  constructor(workflow: Workflow, input: PayloadSchema | undefined, definitionOf: Facts['definitionOf']) {
    this.input = this.plain(input);
    this.expressions = takeExpressions(workflow);
    this.#steps = new Map(workflow.steps.map((step) => [step.name, step]));
    this.#definitionOf = definitionOf;
  }

  readonly definitionOf = (step: MadeFrom): JobDefinition | undefined => this.#definitionOf(step);

  readonly outputOf = (name: string): PlainSchema | undefined => {
    const step = this.#steps.get(name);
    const schema = step && this.#ownOutput(step);
    return step?.fanOut ? this.#listOf(schema) : schema;
  };

  /** The names that an expression of a step may use. */
  at(step: WorkflowStep | undefined): Known {
    return { input: this.input, outputOf: this.outputOf, ownOf: (name) => step && this.#ownOf(step, name) };
  }

  #ownOf(step: WorkflowStep, name: string): PlainSchema | undefined {
    const output = this.#ownOutput(step);
    switch (name) {
      case 'item':
        return this.#itemOf(step);
      case 'output':
        return output;
      case 'previous':
        return output && orNull(output);
      default:
        return undefined;
    }
  }

  #itemOf(step: WorkflowStep): PlainSchema | undefined {
    const read = step.fanOut && readExpression(step.fanOut.items, this.expressions);
    return read && 'shape' in read ? itemsOf(inferType(read.shape, this.at(undefined)).schema) : undefined;
  }

  /** Output schema of the step's job, or of each of its jobs. */
  #ownOutput(step: WorkflowStep): PlainSchema | undefined {
    return this.plain(this.#definitionOf(step)?.outputSchema);
  }

  #listOf(schema: PlainSchema | undefined): PlainSchema {
    if (!schema) return aList;
    const list = this.#lists.get(schema) ?? { type: 'array', items: orNull(schema) };
    this.#lists.set(schema, list);
    return list;
  }

  /** Computed once per pair of schemas, which thousands of steps may share. */
  misfitOf(given: PlainSchema, wanted: PlainSchema): Misfit | undefined {
    const known = this.#misfits.get(given) ?? new Map<PlainSchema, Misfit | undefined>();
    this.#misfits.set(given, known);
    if (!known.has(wanted)) known.set(wanted, misfitOf(given, wanted));
    return known.get(wanted);
  }

  plain(schema: PayloadSchema | undefined): PlainSchema | undefined {
    if (!schema) return undefined;
    if (!this.#schemas.has(schema)) this.#schemas.set(schema, plainSchema(schema));
    return this.#schemas.get(schema);
  }
}

/** For a workflow without other problems. `definitionOf`: the definition of a step, if known. */
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
  for (const located of expressionsOf(workflow, field)) {
    const wanted = wantedOf(located, workflow.steps, outputSchema, facts);
    if (!wanted.schema && knowsNothing) continue;
    const read = readExpression(located.text, facts.expressions);
    if ('problem' in read) continue;
    const known = facts.at(located.step === undefined ? undefined : workflow.steps[located.step]);
    checkPaths(located.field, read.paths, known, problems);
    if (wanted.schema) checkValue(located.field, read.shape, wanted, known, facts, problems);
    length += located.text.length;
    if (length > STRETCH) {
      yield;
      length = 0;
    }
  }
  yield* checkPassedOn(workflow.steps, field, facts, problems);
  reportCachedWaits(workflow.steps, definitionOf, `${field}.steps`, problems);
  return problems.found;
}

function wantedOf(
  { kind, step }: LocatedExpression,
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
      return { schema: facts.plain(outputSchema), by: "the workflow's output schema", name: 'output' };
    case 'key':
      return { schema: undefined, by: 'a cache', name: 'key' };
    case 'items':
      return { schema: aList, by: 'a fan-out', name: kind };
    case 'condition':
    case 'repeat_condition':
      return { schema: aTruth, by: `a ${kind}`, name: kind };
    default:
      return { schema: aText, by: 'a dependency', name: kind };
  }
}

function wantedInput(step: MadeFrom, facts: Facts): Wanted {
  const definition = facts.definitionOf(step);
  return { schema: facts.plain(definition?.inputSchema), by: `the input schema of ${step.definition}`, name: 'input' };
}

/** A path under has() may be missing: that is the question. */
function checkPaths(field: string, paths: readonly Path[], known: Known, problems: Problems): void {
  const tested = paths.filter(({ isTest }) => isTest).map(({ parts }) => `${parts.join('.')}.`);
  for (const path of paths) {
    const text = path.parts.join('.');
    if (path.isTest || tested.some((test) => `${text}.`.startsWith(test))) continue;
    const { endsAfter, schema } = inferPath(path, known);
    if (endsAfter) problems.add(field, `names ${text}${nothingText(path.parts, endsAfter, schema)}`);
  }
}

function nothingText(parts: readonly string[], before: readonly string[], schema: PlainSchema | undefined): string {
  const name = parts[before.length] as string;
  const near = schema && nearName(name, propertiesOf(schema));
  return `; by its schema ${before.join('.')} has no ${name}${near ? `, did you mean ${near}?` : ''}`;
}

/** A step without input gets the workflow's input; a compensation without input gets the step's output. */
function* checkPassedOn(
  steps: readonly WorkflowStep[],
  field: string,
  facts: Facts,
  problems: Problems,
): Generator<void, void> {
  for (const [i, step] of steps.entries()) {
    const { name, compensation } = step;
    const report = (below: string, what: string, text: string | undefined) => {
      if (text) problems.add(`${field}.steps[${i}].${below}`, `is left out: ${what} ${text}`);
    };
    if (compensation && compensation.input === undefined) {
      const conflict = passedOnText(facts.outputOf(name), 'output', wantedInput(compensation, facts), facts);
      report('compensation.input', "the step's output", conflict);
    }
    if (step.input === undefined)
      report(
        'input',
        "the workflow's input",
        passedOnText(facts.input, 'workflow.input', wantedInput(step, facts), facts),
      );
    if (i % STEPS_STRETCH === STEPS_STRETCH - 1) yield;
  }
}

function passedOnText(
  schema: PlainSchema | undefined,
  called: string,
  wanted: Wanted,
  facts: Facts,
): string | undefined {
  return conflictText({ types: typesOf(schema) }, wanted, '') ?? unfitText({ schema }, called, wanted, '', facts);
}

/** A value and, if it is written out as an object or a list, its parts. */
function checkValue(field: string, root: Shape, whole: Wanted, known: Known, facts: Facts, problems: Problems): void {
  const waiting = [{ shape: root, wanted: whole, at: '' }];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { shape, wanted, at } = next;
    const value = inferType(shape, known);
    const conflict = conflictText(value, wanted, at) ?? unfitText(value, textOf(shape), wanted, at, facts);
    if (conflict) problems.add(field, conflict);
    if (conflict || !wanted.schema) continue;
    const push = (part: Shape, schema: PlainSchema | undefined, key: string | number) => {
      if (schema) waiting.push({ shape: part, wanted: { ...wanted, schema }, at: `${at}/${key}` });
    };
    if (shape.kind === 'LIST') for (const [i, one] of shape.items.entries()) push(one, itemsOf(wanted.schema), i);
    const written = shape.kind === 'OBJECT' ? shape.entries : undefined;
    if (!written) continue;
    for (const name of requiredOf(wanted.schema))
      if (!written.has(name)) problems.add(field, `lacks ${at}/${name}, which ${wanted.by} requires`);
    for (const [name, part] of written) {
      const property = propertyOf(wanted.schema, name);
      if (property === 'impossible') problems.add(field, `gives ${at}/${name}, for which ${wanted.by} has no place`);
      else push(part, property.schema, name);
    }
  }
}

/** `at`: path of the value within the written-out value. */
function conflictText({ types }: InferredType, { schema, by }: Wanted, at: string): string | undefined {
  const asked = typesOf(schema);
  if (!types || !asked || mayFit(types, asked)) return undefined;
  return `gives ${orOf(types)}${at && ` at ${at}`}, where ${by} wants ${orOf(asked)}`;
}

/** Misfit of the parts of a value. `called`: the value's name in the message. */
function unfitText(
  { schema }: InferredType,
  called: string,
  wanted: Wanted,
  at: string,
  facts: Facts,
): string | undefined {
  const misfit = schema && wanted.schema && facts.misfitOf(schema, wanted.schema);
  if (!misfit) return undefined;
  const name = `${wanted.name}${at.replaceAll('/', '.')}`;
  return `does not fit ${wanted.by}: ${misfitText(misfit, called, name)}`;
}

function textOf(shape: Shape): string {
  return shape.kind === 'PATH' ? shape.path.parts.join('.') : 'the value';
}
