/**
 * Expressions of workflows: CEL over the workflow's input and the outputs of earlier steps. Compilation yields what an
 * expression reads. Its cost is counted while it is evaluated, and bounded.
 */
import { type CelInput, type CelValue, isCelError, plan } from '@bufbuild/cel';
import { messageOf, parseCel } from '../../base/cel.ts';
import { Meter, WORKFLOW_BUDGET } from '../../base/cel-cost.ts';
import { meteredEnv } from '../../base/cel-env.ts';
import { asCel } from '../../base/cel-values.ts';
import { type Expr, type Path, pathsIn } from './expression-paths.ts';
import { asJson, type Json } from './expression-values.ts';
import { mixedArithmetic } from './mixed-arithmetic.ts';

/** In characters. */
export const MAX_EXPRESSION = 4_096;

/** JSON values; they must not change while an expression may still read them. */
export interface ExpressionValues {
  readonly workflow: {
    readonly input: unknown;
    readonly job_id: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  /** At least the steps that the expression names. An output that is undefined or null counts as missing. */
  readonly steps: Readonly<Record<string, { readonly output: unknown; readonly state: string }>>;
  readonly item?: unknown;
  readonly index?: number;
  readonly iteration?: number;
  readonly previous?: unknown;
  readonly output?: unknown;
}

export type Evaluated = { readonly value: Json } | { readonly problem: string };

/** The values that an expression reads. */
export interface ExpressionReads {
  /** The names N in `steps.N.output` and `steps.N.state`. */
  readonly steps: ReadonlySet<string>;
  /** Whether it reads `workflow.input`. */
  readonly usesInput: boolean;
  /** Whether it reads `output`. */
  readonly usesOutput: boolean;
}

export interface WorkflowExpression extends ExpressionReads {
  /** The meter has what it cost. */
  readonly evaluate: (values: ExpressionValues, meter?: Meter) => Evaluated;
}

/** The syntax of an expression, and the paths that it reads. */
export interface ParsedExpression {
  readonly root: Expr;
  readonly paths: readonly Path[];
  readonly nodes: number;
}

const env = meteredEnv(mixedArithmetic);

/**
 * The syntax, or the problem as the end of a sentence that begins with the field's name. `names`: the variables that it
 * may use.
 */
export function parseExpression(
  text: string,
  names: readonly string[],
): ParsedExpression | { readonly problem: string } {
  if (text.length > MAX_EXPRESSION) return { problem: `is longer than ${MAX_EXPRESSION} characters` };
  const parsed = parseCel(text, names, WORKFLOW_BUDGET);
  if ('problem' in parsed) return parsed;
  const paths = pathsIn(parsed.root, (name) => env.funcs.find(name) !== undefined);
  return 'problem' in paths ? paths : { root: parsed.root, paths, nodes: parsed.nodes };
}

export function compileExpression(
  text: string,
  names: readonly string[],
): WorkflowExpression | { readonly problem: string } {
  const parsed = parseExpression(text, names);
  if ('problem' in parsed) return parsed;
  const evaluate = plan(env, parsed.root);
  const reads = readsOf(parsed.paths);
  const { steps } = reads;
  return {
    ...reads,
    evaluate: (values, meter = new Meter(WORKFLOW_BUDGET)) => {
      const found = meter.run(() => {
        try {
          meter.spend(parsed.nodes, 0);
          return resultOf(evaluate(variablesOf(values, steps)));
        } catch (error) {
          return { problem: messageOf(error) };
        }
      });
      return meter.problem === undefined ? found : { problem: meter.problem };
    },
  };
}

export function readsOf(paths: readonly Path[]): ExpressionReads {
  return {
    steps: stepsOf(paths),
    usesInput: paths.some(({ parts }) => parts[0] === 'workflow' && parts[1] === 'input'),
    usesOutput: paths.some(({ parts }) => parts[0] === 'output'),
  };
}

export function stepsOf(paths: readonly Path[]): Set<string> {
  return new Set(paths.flatMap(({ parts }) => (parts[0] === 'steps' ? [parts[1] as string] : [])));
}

/** Index and iteration are CEL integers, so that they can index lists; numbers of JSON are doubles. */
function variablesOf(values: ExpressionValues, named: ReadonlySet<string>): Record<string, CelInput> {
  const steps = Object.fromEntries([...named].map((name) => [name, ownOf(values.steps, name)]));
  const { workflow, index, iteration } = values;
  return {
    workflow: asCel(workflow),
    steps: asCel(steps),
    item: asCel(values.item ?? null),
    previous: asCel(values.previous ?? null),
    output: asCel(values.output ?? null),
    index: BigInt(index ?? 0),
    iteration: BigInt(iteration ?? 0),
  };
}

function ownOf<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

function resultOf(value: CelValue | Error): Evaluated {
  if (!isCelError(value)) return asJson(value as CelValue);
  // An input may be nested deeper than the call stack allows.
  return { problem: /call stack/.test(value.message) ? 'a value is nested too deeply' : messageOf(value) };
}
