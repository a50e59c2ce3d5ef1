/** What all expressions in CEL have in common: which names they may use, and what they may not cost. */

export function messageOf(error: unknown): string {
  // Deeply nested parentheses overflow the parser's stack.
  if (error instanceof RangeError) return 'it is nested too deeply';
  return error instanceof Error ? error.message.replace(/^<input>:1:/, 'character ') : String(error);
}

export type Names = { readonly used: ReadonlySet<string> } | { readonly problem: string };

/** The variables that a parsed expression names; others than these are refused, and so are macros over lists. */
export function namesIn(root: unknown, variables: readonly string[]): Names {
  const used = new Set<string>();
  const waiting = [root as object];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const { case: kind, value } = node as { case?: unknown; value?: { name?: string } };
    if (kind === 'comprehensionExpr')
      return {
        problem: 'has a macro over a list (all, exists, exists_one, map or filter): its cost would have no bound',
      };
    if (kind === 'identExpr') used.add(value?.name ?? '');
    for (const part of Object.values(node)) if (typeof part === 'object' && part !== null) waiting.push(part);
  }
  const unknown = [...used].find((name) => !variables.includes(name));
  if (unknown === undefined) return { used };
  return { problem: `names ${unknown}; there ${variables.length > 1 ? 'are' : 'is'} ${variables.join(' and ')}` };
}
