/** The order in which definitions of files are applied: what the steps of a workflow are made from has to be there before it. */
import type { JobDefinition } from '@muster/sdk/grpc';

/** Each behind those that its steps name, as far as they are among them; else as they were written. */
export function inOrder<T extends { readonly definition: JobDefinition }>(wanted: readonly T[]): T[] {
  const named = new Map<string, T[]>();
  for (const one of wanted) named.set(one.definition.name, [...(named.get(one.definition.name) ?? []), one]);
  const ordered = new Set<T>();
  const met = new Set<T>();
  // Each is on the list until all that it names is in order; one in a cycle is not waited for: the server refuses it.
  const waiting = [...wanted].reverse();
  for (let one = waiting.at(-1); one !== undefined; one = waiting.at(-1)) {
    const open = met.has(one) ? [] : stepsOf(one.definition).flatMap((name) => named.get(name) ?? []);
    met.add(one);
    const unmet = open.filter((other) => !met.has(other));
    if (unmet.length > 0) waiting.push(...unmet.reverse());
    else ordered.add(waiting.pop() as T);
  }
  return [...ordered];
}

/** What the steps of a workflow are made from, and what takes them back. */
export function madeFrom({
  body,
}: JobDefinition): { readonly definition: string; readonly definitionVersion: number }[] {
  if (body.case !== 'workflow') return [];
  return body.value.steps.flatMap((step) => [step, ...(step.compensation ? [step.compensation] : [])]);
}

function stepsOf(definition: JobDefinition): string[] {
  return [...new Set(madeFrom(definition).map((one) => one.definition))];
}
