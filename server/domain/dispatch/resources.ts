/**
 * Amounts of resources: what a session offers, what attempts take, and what is left. They are counted in whole
 * thousandths, so that adding and subtracting is exact.
 */

export type Amounts = Readonly<Record<string, number>>;

/** The only resource name with a fixed meaning; the meaning of others is up to the deployment. */
export const MEMORY = 'memory';

/** Jobs that a session holds and that take equal amounts. */
export interface Taken {
  readonly resources: Amounts;
  readonly jobs: number;
}

function thousandths(amounts: Amounts, name: string): number {
  // Own properties only: a resource may be called "constructor".
  return Object.hasOwn(amounts, name) ? Math.round((amounts[name] as number) * 1_000) : 0;
}

/** Whether the total covers the needs when nothing is taken. */
export function covers(total: Amounts, needs: Amounts): boolean {
  return Object.keys(needs).every((name) => thousandths(total, name) >= thousandths(needs, name));
}

function freeOf(name: string, total: Amounts, taken: readonly Taken[]): number {
  return taken.reduce(
    (free, { resources, jobs }) => free - jobs * thousandths(resources, name),
    thousandths(total, name),
  );
}

/** How many more attempts with these needs fit into a session. Unbounded if there are no needs. */
export function fitCount(needs: Amounts, total: Amounts, taken: readonly Taken[]): number {
  const fits = Object.keys(needs).map((name) => Math.floor(freeOf(name, total, taken) / thousandths(needs, name)));
  return Math.max(0, Math.min(...fits));
}

/** What a session lacks for one more attempt, as the largest share of its total; 0 or less: nothing. */
export function shortage(needs: Amounts, total: Amounts, taken: readonly Taken[]): number {
  const shares = Object.keys(needs).map(
    (name) => (thousandths(needs, name) - freeOf(name, total, taken)) / thousandths(total, name),
  );
  return Math.max(0, ...shares);
}

/** For operators: `gpu 2, memory 8589934592`. */
export function amountsText(amounts: Amounts): string {
  const names = Object.keys(amounts).sort();
  return names.map((name) => `${name} ${amounts[name]}`).join(', ');
}
