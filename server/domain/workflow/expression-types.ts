/** What an expression gives, as far as it can be told before it is evaluated. */
import { type Path, pathOf } from './expression-paths.ts';
import type { Expr } from './expressions.ts';
import { itemsOf, type PlainSchema, propertyOf, type Types, typesOf } from './schema-facts.ts';

/** What is known of values that expressions name. */
export interface Known {
  readonly input: PlainSchema | undefined;
  /** Of each step; a fan-out gives a list. */
  readonly outputOf: (step: string) => PlainSchema | undefined;
  /** Of a variable that is the step's own, such as `item`. */
  readonly ownOf: (name: string) => PlainSchema | undefined;
}

/** Nothing is known of what is left out. */
export interface Told {
  readonly schema?: PlainSchema | undefined;
  readonly types?: Types | undefined;
  /** Names of the path after which there can be nothing. */
  readonly endsAfter?: readonly string[];
}

const boolean: Types = new Set(['boolean']);
const string: Types = new Set(['string']);
const integer: Types = new Set(['integer']);
const anObject: PlainSchema = { type: 'object', additionalProperties: { type: 'string' } };

const truths = ['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in', '!_', '_&&_', '_||_'];
const ofCalls = new Map<string, Types>([
  ...[...truths, 'startsWith', 'endsWith', 'contains', 'matches', 'bool'].map((name) => [name, boolean] as const),
  ['string', string],
  ['size', integer],
]);

export function told(expr: Expr, known: Known): Told {
  const path = pathOf(expr);
  if (path) return path.isTest ? { types: boolean } : toldOfPath(path, known);
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'constExpr':
      return { types: ofConstant(exprKind.value.constantKind) };
    case 'listExpr':
      return { types: new Set(['array']) };
    case 'structExpr':
      return exprKind.value.messageName === '' ? { types: new Set(['object']) } : {};
    case 'selectExpr':
      return exprKind.value.testOnly ? { types: boolean } : toldOfPart(expr, known);
    case 'callExpr':
      return exprKind.value.function === '_[_]'
        ? toldOfPart(expr, known)
        : { types: ofCalls.get(exprKind.value.function) };
    default:
      return {};
  }
}

function ofConstant({
  case: kind,
  value,
}: {
  readonly case?: string | undefined;
  readonly value?: unknown;
}): Types | undefined {
  switch (kind) {
    case 'nullValue':
      return new Set(['null']);
    case 'boolValue':
      return boolean;
    case 'stringValue':
      return string;
    case 'int64Value':
    case 'uint64Value':
      return integer;
    case 'doubleValue':
      return new Set([Number.isInteger(value) ? 'integer' : 'number']);
    default:
      return undefined;
  }
}

export function toldOfPath({ parts }: Path, known: Known): Told {
  const [root, first = '', second] = parts;
  if (root === 'index' || root === 'iteration') return { types: integer };
  if (root === 'workflow' && first === 'job_id') return { types: string };
  if (root === 'steps' && second === 'state') return { types: string };
  const [schema, at] =
    root === 'workflow'
      ? [first === 'labels' ? anObject : known.input, 2]
      : root === 'steps'
        ? [known.outputOf(first), 3]
        : [known.ownOf(root as string), 1];
  return below(schema, parts, at);
}

function below(schema: PlainSchema | undefined, parts: readonly string[], from: number): Told {
  let at = schema;
  for (const [i, name] of parts.slice(from).entries()) {
    const property = propertyOf(at, name);
    if (property === 'impossible') return { schema: at, endsAfter: parts.slice(0, from + i) };
    at = property.schema;
  }
  return { schema: at, types: typesOf(at) };
}

/** Of what is taken out of a list, or by a name in brackets, such as `steps.all.output[0].n`. */
function toldOfPart(expr: Expr, known: Known): Told {
  const keys = keysOf(expr);
  if (!keys) return {};
  const places = keys.indexOf(undefined);
  const names = places < 0 ? keys : keys.slice(0, places);
  let { schema } = toldOfPath({ parts: names as string[], isTest: false }, known);
  for (const key of keys.slice(names.length)) {
    const isList = [...(typesOf(schema) ?? [''])].every((type) => type === 'array' || type === 'null');
    const property = key === undefined ? { schema: isList ? itemsOf(schema) : undefined } : propertyOf(schema, key);
    if (property === 'impossible') return {};
    schema = property.schema;
  }
  return { schema, types: typesOf(schema) };
}

/** From the variable on; undefined is a place in a list, or a name that is computed. */
function keysOf(expr: Expr): (string | undefined)[] | undefined {
  const keys: (string | undefined)[] = [];
  for (let at: Expr | undefined = expr; at; ) {
    const { exprKind }: Expr = at;
    if (exprKind.case === 'identExpr') return [exprKind.value.name, ...keys.reverse()];
    if (exprKind.case === 'selectExpr') {
      keys.push(exprKind.value.field);
      at = exprKind.value.operand;
    } else if (exprKind.case === 'callExpr' && exprKind.value.function === '_[_]') {
      const [of, key]: Expr[] = exprKind.value.args;
      keys.push(textOf(key));
      at = of;
    } else return undefined;
  }
  return undefined;
}

export function textOf(expr: Expr | undefined): string | undefined {
  const constant = expr?.exprKind.case === 'constExpr' ? expr.exprKind.value.constantKind : undefined;
  return constant?.case === 'stringValue' ? constant.value : undefined;
}
