/** Arrivals that do not fit a scenario. */

import { nearName } from '../../domain/base/near-name.ts';
import { type Arrival, handlersOf, type Scenario } from '../../tools/simulate/scenario.ts';

interface Misfit {
  readonly line: number;
  readonly field: string;
  readonly reason: string;
}

/** For each missing definition, and each without a worker, the first arrival. */
export function misfits(arrivals: readonly Arrival[], { definitions, workers }: Scenario): Misfit[] {
  const byName = new Map(definitions.map((one) => [String(one.name), one]));
  const listed = new Set<string>();
  const found: Misfit[] = [];
  for (const { line, definition } of arrivals) {
    if (listed.has(definition)) continue;
    listed.add(definition);
    const known = byName.get(definition);
    const [handler = ''] = known ? handlersOf(known) : [];
    const near = nearName(definition, [...byName.keys()]);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    if (!known) found.push({ line, field: 'definition', reason: `the scenario has no ${definition}${hint}` });
    else if (!workers.some(({ handlers }) => handlers?.includes(handler) ?? true))
      found.push({
        line,
        field: 'definition',
        reason: `no worker of the scenario has ${definition}'s handler ${handler}`,
      });
  }
  return found;
}
