/**
 * The order in which the definitions of files are applied: the definitions of a workflow's steps must exist before it.
 */
import type { JobDefinition } from '@muster-jobs/sdk/grpc';

/** Each definition after those that its steps name, if they are in the list; otherwise in the order of the input. */
export function inOrder<T extends { readonly definition: JobDefinition }>(wanted: readonly T[]): T[] {
  const named = new Map<string, T[]>();
  for (const one of wanted) named.set(one.definition.name, [...(named.get(one.definition.name) ?? []), one]);
  const ordered = new Set<T>();
  const met = new Set<T>();
  // Each stays on the stack until all that it names is in order. A cycle is not resolved: the server refuses it.
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

/** The definitions of a workflow's steps and compensations. */
export function madeFrom({
  body,
}: JobDefinition): { readonly definition: string; readonly definitionVersion: number }[] {
  if (body.case !== 'workflow') return [];
  return body.value.steps.flatMap((step) => [step, ...(step.compensation ? [step.compensation] : [])]);
}

function stepsOf(definition: JobDefinition): string[] {
  return [...new Set(madeFrom(definition).map((one) => one.definition))];
}
