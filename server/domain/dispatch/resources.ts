/**
 * Amounts of resources: what a session offers, what attempts take of it, and what is left. They are counted in whole
 * thousandths, so that adding and taking away is exact.
 */

export type Amounts = Readonly<Record<string, number>>;

/** The names that people may rely on; others mean what a deployment says. */
export const MEMORY = 'memory';

/** Jobs that a session holds, each of which takes the same. */
export interface Taken {
  readonly resources: Amounts;
  readonly jobs: number;
}

function thousandths(amounts: Amounts, name: string): number {
  // A resource may be called "constructor".
  return Object.hasOwn(amounts, name) ? Math.round((amounts[name] as number) * 1_000) : 0;
}

/** Whether all of it is there at once. */
export function covers(total: Amounts, needs: Amounts): boolean {
  return Object.keys(needs).every((name) => thousandths(total, name) >= thousandths(needs, name));
}

function freeOf(name: string, total: Amounts, taken: readonly Taken[]): number {
  return taken.reduce(
    (free, { resources, jobs }) => free - jobs * thousandths(resources, name),
    thousandths(total, name),
  );
}

/** How many more attempts that take so much a session has room for. Needs without an amount have room without end. */
export function fitCount(needs: Amounts, total: Amounts, taken: readonly Taken[]): number {
  const fits = Object.keys(needs).map((name) => Math.floor(freeOf(name, total, taken) / thousandths(needs, name)));
  return Math.max(0, Math.min(...fits));
}

/** What a session lacks for one more attempt, as the largest share of its total; 0: nothing. */
export function shortage(needs: Amounts, total: Amounts, taken: readonly Taken[]): number {
  const shares = Object.keys(needs).map(
    (name) => (thousandths(needs, name) - freeOf(name, total, taken)) / thousandths(total, name),
  );
  return Math.max(0, ...shares);
}

/** For people: `gpu 2, memory 8589934592`. */
export function amountsText(amounts: Amounts): string {
  const names = Object.keys(amounts).sort();
  return names.map((name) => `${name} ${amounts[name]}`).join(', ');
}
