/** Parses CEL expressions, finds the variables that they use, and bounds their cost. */
import { parse } from '@bufbuild/cel';
import type { Budget } from './cel-cost.ts';
import { patternCost } from './cel-env.ts';
import { storableText } from './storable-text.ts';

/**
 * The parser and the evaluator recurse. The depth that they reach depends on the remaining stack, which differs from
 * call to call, so these bounds, far below that depth, decide what is accepted.
 */
const MAX_BRACKETS = 128;
const MAX_OPERATORS = 250;
/** In characters. */
const MAX_MESSAGE = 1_000;

const RAW = /(?:[rR][bB]?|[bB][rR])(?:""".*?"""|'''.*?'''|"[^"]*"|'[^']*')/s;
const QUOTED = /"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/s;
const LITERAL = new RegExp(`${RAW.source}|${QUOTED.source}`, 'gs');

export interface Parsed {
  readonly root: NonNullable<ReturnType<typeof parse>['expr']>;
  /** The variables that it uses. */
  readonly used: ReadonlySet<string>;
  /** The number of its operators, names and literals: each costs one step, so its length bounds their cost. */
  readonly nodes: number;
}

/**
 * Returns the parsed expression, or the problem as the end of a sentence that begins with the field's name. `variables`:
 * the variables that it may use.
 */
export function parseCel(
  text: string,
  variables: readonly string[],
  { steps }: Budget,
): Parsed | { readonly problem: string } {
  if (bracketDepth(text) > MAX_BRACKETS) return { problem: `has more than ${MAX_BRACKETS} brackets inside each other` };
  try {
    const root = parse(text).expr as Parsed['root'];
    const found = partsOf(root);
    if ('problem' in found) return found;
    const pattern = found.patterns.find((one) => patternCost(one) > steps);
    if (pattern !== undefined)
      return { problem: `has a regular expression that costs more than ${steps} steps: ${pattern.slice(0, 64)}` };
    const unknown = [...found.used].find((name) => !variables.includes(name));
    if (unknown === undefined) return { root, used: found.used, nodes: found.nodes };
    return { problem: `names ${unknown}; there ${variables.length > 1 ? 'are' : 'is'} ${variables.join(' and ')}` };
  } catch (error) {
    return { problem: `is no expression of CEL: ${messageOf(error)}` };
  }
}

/** It may quote a key or a value of the input, whole. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return storableText(message.slice(0, MAX_MESSAGE).replace(/^<input>:1:/, 'character '));
}

function bracketDepth(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const char of text.replaceAll(LITERAL, '')) {
    if ('([{'.includes(char)) deepest = Math.max(deepest, ++depth);
    else if (')]}'.includes(char)) depth--;
  }
  return deepest;
}

interface Parts {
  readonly used: ReadonlySet<string>;
  readonly nodes: number;
  /** Regular expressions that are literals. */
  readonly patterns: readonly string[];
}

/** Macros over lists are refused: they are loops, and the cost of an expression must be bounded by its length. */
function partsOf(root: object): Parts | { readonly problem: string } {
  const used = new Set<string>();
  const patterns: string[] = [];
  let nodes = 0;
  const waiting: [node: object, operators: number][] = [[root, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [node, above] = next;
    const operators = 'exprKind' in node ? above + 1 : above;
    if (operators > above) nodes++;
    if (operators > MAX_OPERATORS) return { problem: `has more than ${MAX_OPERATORS} operators inside each other` };
    const { case: kind, value } = node as { case?: unknown; value?: { name?: string } & MaybeCall };
    if (kind === 'comprehensionExpr')
      return {
        problem: 'has a macro over a list (all, exists, exists_one, map or filter): its cost would have no bound',
      };
    if (kind === 'identExpr') used.add(value?.name ?? '');
    if (kind === 'callExpr' && value?.function === 'matches') patterns.push(...literalsOf(value));
    for (const part of Object.values(node))
      if (typeof part === 'object' && part !== null) waiting.push([part, operators]);
  }
  return { used, nodes, patterns };
}

interface MaybeCall {
  readonly function?: string;
  readonly args?: readonly { readonly exprKind: { readonly case?: string; readonly value?: unknown } }[];
}

function literalsOf({ args = [] }: MaybeCall): string[] {
  return args.flatMap(({ exprKind: { case: kind, value } }) => {
    const { constantKind } = (kind === 'constExpr' ? value : {}) as { constantKind?: { value?: unknown } };
    return typeof constantKind?.value === 'string' ? [constantKind.value] : [];
  });
}
