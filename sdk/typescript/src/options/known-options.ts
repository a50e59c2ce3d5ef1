/** Refuses options that the SDK does not have, so that a misspelt one is an error and not ignored. */

/** All option names of an interface. The type checker keeps a list of this type in step with the interface. */
export type Known<T> = { readonly [K in keyof T & string]-?: true };

/**
 * @param where The call, such as `submit`, or the object in it, such as `submitMany: jobs[3]`.
 * @throws TypeError when `options` has a name that is not in `known`; it suggests the name that was probably meant.
 */
export function refuseUnknownOptions(where: string, options: object, known: Readonly<Record<string, true>>): void {
  for (const name in options) if (known[name] !== true) throw unknownOption(where, name, Object.keys(known));
}

/** The place of a field, for the errors of what is in it. */
export function within(where: string, field: string): string {
  return where.includes(': ') ? `${where}.${field}` : `${where}: ${field}`;
}

export function unknownOption(where: string, name: string, known: readonly string[]): TypeError {
  const meant = nearest(name, known);
  const help = meant === undefined ? `; known are ${[...known].sort().join(', ')}` : `; did you mean "${meant}"?`;
  return new TypeError(`${where}: unknown option "${name}"${help}`);
}

const MAX_DISTANCE = 2;

/** The known name that differs least, if it differs in the case of letters only, or in at most two edits. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = plainOf(name);
  let best: string | undefined;
  let bound = Math.min(MAX_DISTANCE, Math.floor(plain.length / 2)) + 1;
  for (const candidate of known) {
    const distance = editDistance(plain, plainOf(candidate));
    if (distance >= bound) continue;
    best = candidate;
    bound = distance;
  }
  return best;
}

/** `idempotency_key` is another spelling of `idempotencyKey`. */
function plainOf(name: string): string {
  return name.replace(/[_-]/g, '').toLowerCase();
}

/** Levenshtein's distance. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = at(row, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, at(row, j) + 1, at(next, j - 1) + 1));
    }
    row = next;
  }
  return at(row, to.length);
}

function at(row: readonly number[], i: number): number {
  return row[i] ?? Number.POSITIVE_INFINITY;
}
