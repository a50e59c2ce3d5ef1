/** Parses CEL expressions, finds the variables that they use, and bounds their cost. */
import { parse } from '@bufbuild/cel';
import { storableText } from './storable-text.ts';

/**
 * The parser and the evaluator recurse. The depth that they reach depends on the remaining stack, which differs from
 * call to call, so these bounds, far below that depth, decide what is accepted.
 */
const MAX_BRACKETS = 128;
const MAX_OPERATORS = 250;

const RAW = /(?:[rR][bB]?|[bB][rR])(?:""".*?"""|'''.*?'''|"[^"]*"|'[^']*')/s;
const QUOTED = /"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/s;
const LITERAL = new RegExp(`${RAW.source}|${QUOTED.source}`, 'gs');

export interface Parsed {
  readonly root: NonNullable<ReturnType<typeof parse>['expr']>;
  /** The variables that it uses. */
  readonly used: ReadonlySet<string>;
}

/**
 * Returns the parsed expression, or the problem as the end of a sentence that begins with the field's name. `variables`:
 * the variables that it may use.
 */
export function parseCel(text: string, variables: readonly string[]): Parsed | { readonly problem: string } {
  if (bracketDepth(text) > MAX_BRACKETS) return { problem: `has more than ${MAX_BRACKETS} brackets inside each other` };
  try {
    const root = parse(text).expr as Parsed['root'];
    const found = namesIn(root);
    if ('problem' in found) return found;
    const unknown = [...found.used].find((name) => !variables.includes(name));
    if (unknown === undefined) return { root, used: found.used };
    return { problem: `names ${unknown}; there ${variables.length > 1 ? 'are' : 'is'} ${variables.join(' and ')}` };
  } catch (error) {
    return { problem: `is no expression of CEL: ${messageOf(error)}` };
  }
}

export function messageOf(error: unknown): string {
  // It may quote a key or a value of the input.
  return storableText(error instanceof Error ? error.message.replace(/^<input>:1:/, 'character ') : String(error));
}

function bracketDepth(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const char of text.replaceAll(LITERAL, '')) {
    if ('([{'.includes(char)) deepest = Math.max(deepest, ++depth);
    else if (')]}'.includes(char)) depth--;
  }
  return deepest;
}

/** Macros over lists are refused: they are loops, and the cost of an expression must be bounded by its length. */
function namesIn(root: object): { readonly used: Set<string> } | { readonly problem: string } {
  const used = new Set<string>();
  const waiting: [node: object, operators: number][] = [[root, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [node, above] = next;
    const operators = 'exprKind' in node ? above + 1 : above;
    if (operators > MAX_OPERATORS) return { problem: `has more than ${MAX_OPERATORS} operators inside each other` };
    const { case: kind, value } = node as { case?: unknown; value?: { name?: string } };
    if (kind === 'comprehensionExpr')
      return {
        problem: 'has a macro over a list (all, exists, exists_one, map or filter): its cost would have no bound',
      };
    if (kind === 'identExpr') used.add(value?.name ?? '');
    for (const part of Object.values(node))
      if (typeof part === 'object' && part !== null) waiting.push([part, operators]);
  }
  return { used };
}
