/**
 * The part of an expression that is kept until it is checked against schemas: the syntax trees of thousands of
 * expressions would take hundreds of megabytes, and parsing them twice takes twice as long.
 */

import type { Types } from '../checks/schema-facts.ts';
import type { Workflow } from '../workflow.ts';
import { type Expr, type Path, pathOf } from './expression-paths.ts';
import { parseExpression } from './expressions.ts';
import { allNames } from './step-expressions.ts';

export type Shape =
  | { readonly kind: 'PATH'; readonly path: Path }
  /** From the variable on; undefined stands for a list index or a computed name. */
  | { readonly kind: 'PART'; readonly keys: readonly (string | undefined)[] }
  /** `entries` is undefined if not all keys are known. */
  | { readonly kind: 'OBJECT'; readonly entries: ReadonlyMap<string, Shape> | undefined }
  /** Empty if any item may be left out. */
  | { readonly kind: 'LIST'; readonly items: readonly Shape[] }
  | { readonly kind: 'OTHER'; readonly types: Types | undefined };

export interface ReadExpression {
  readonly paths: readonly Path[];
  readonly shape: Shape;
}

export type ReadExpressions = Map<string, ReadExpression | { readonly problem: string }>;

/** By their texts. Removed when taken, so that a cached definition keeps none of it in memory. */
const ofWorkflows = new WeakMap<Workflow, ReadExpressions>();

/** Every expression that is read is stored here for `takeExpressions`. */
export function keepExpressions(workflow: Workflow): ReadExpressions {
  const expressions: ReadExpressions = new Map();
  ofWorkflows.set(workflow, expressions);
  return expressions;
}

export function takeExpressions(workflow: Workflow): ReadExpressions {
  const expressions = ofWorkflows.get(workflow) ?? new Map();
  ofWorkflows.delete(workflow);
  return expressions;
}

export function readExpression(text: string, known: ReadExpressions): ReadExpression | { readonly problem: string } {
  const found = known.get(text);
  if (found) return found;
  const parsed = parseExpression(text, allNames);
  const read = 'problem' in parsed ? parsed : { paths: parsed.paths, shape: shapeOf(parsed.root, 0) };
  known.set(text, read);
  return read;
}

const MAX_DEPTH = 100;
const unknown: Shape = { kind: 'OTHER', types: undefined };

const boolean: Types = new Set(['boolean']);
const string: Types = new Set(['string']);
const integer: Types = new Set(['integer']);
const number: Types = new Set(['number']);
const nothing: Types = new Set(['null']);

const truths = ['_==_', '_!=_', '_<_', '_<=_', '_>_', '_>=_', '@in', '!_', '_&&_', '_||_'];
const ofCalls = new Map<string, Types>([
  ...[...truths, 'startsWith', 'endsWith', 'contains', 'matches', 'bool'].map((name) => [name, boolean] as const),
  ['string', string],
  ['size', integer],
]);

function shapeOf(expr: Expr, depth: number): Shape {
  if (depth > MAX_DEPTH) return unknown;
  const path = pathOf(expr);
  if (path) return { kind: 'PATH', path };
  const { exprKind } = expr;
  switch (exprKind.case) {
    case 'constExpr':
      return { kind: 'OTHER', types: ofConstant(exprKind.value.constantKind) };
    case 'listExpr': {
      const { elements, optionalIndices } = exprKind.value;
      return { kind: 'LIST', items: optionalIndices.length > 0 ? [] : elements.map((one) => shapeOf(one, depth + 1)) };
    }
    case 'structExpr':
      return exprKind.value.messageName === '' ? { kind: 'OBJECT', entries: entriesOf(expr, depth) } : unknown;
    case 'selectExpr':
      return exprKind.value.testOnly ? { kind: 'OTHER', types: boolean } : partOf(expr);
    case 'callExpr':
      return exprKind.value.function === '_[_]'
        ? partOf(expr)
        : { kind: 'OTHER', types: ofCalls.get(exprKind.value.function) };
    default:
      return unknown;
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
      return nothing;
    case 'boolValue':
      return boolean;
    case 'stringValue':
      return string;
    case 'int64Value':
    case 'uint64Value':
      return integer;
    case 'doubleValue':
      return Number.isInteger(value) ? integer : number;
    default:
      return undefined;
  }
}

function entriesOf({ exprKind }: Expr, depth: number): Map<string, Shape> | undefined {
  const entries = new Map<string, Shape>();
  if (exprKind.case !== 'structExpr') return undefined;
  for (const { keyKind, value } of exprKind.value.entries) {
    const name = keyKind.case === 'mapKey' ? textOf(keyKind.value) : undefined;
    if (name === undefined || !value) return undefined;
    entries.set(name, shapeOf(value, depth + 1));
  }
  return entries;
}

/** A part taken by list index or by a name in brackets, such as `steps.all.output[0].n`. */
function partOf(expr: Expr): Shape {
  const keys: (string | undefined)[] = [];
  for (let at: Expr | undefined = expr; at; ) {
    const { exprKind }: Expr = at;
    if (exprKind.case === 'identExpr') return { kind: 'PART', keys: [exprKind.value.name, ...keys.reverse()] };
    if (exprKind.case === 'selectExpr') {
      keys.push(exprKind.value.field);
      at = exprKind.value.operand;
    } else if (exprKind.case === 'callExpr' && exprKind.value.function === '_[_]') {
      const [of, key]: Expr[] = exprKind.value.args;
      keys.push(textOf(key));
      at = of;
    } else return unknown;
  }
  return unknown;
}

function textOf(expr: Expr | undefined): string | undefined {
  const constant = expr?.exprKind.case === 'constExpr' ? expr.exprKind.value.constantKind : undefined;
  return constant?.case === 'stringValue' ? constant.value : undefined;
}
