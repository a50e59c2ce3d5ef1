/** The summary of a run for its reader. */
import type { SeedResult } from './run-seed.ts';
import type { SeedsResult } from './run-seeds.ts';

export function summaryOf({ seeds, failures, virtualMs, realMs }: SeedsResult): string {
  const rate = (seeds / (realMs / 1000)).toFixed(2);
  return `${seeds} seeds, ${failures.length} failed; ${Math.round(virtualMs / 60_000)} min of virtual time in ${Math.round(realMs / 1000)} s (${rate} seeds/s)`;
}

export function countsOf(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .filter(([what]) => !what.startsWith('statement '))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${String(times).padStart(9)}  ${what}`)
    .join('\n');
}

const SHOWN = 5;

export function failureOf({ seed, profile, violations }: SeedResult): string {
  const more = violations.length > SHOWN ? `\n    and ${violations.length - SHOWN} more` : '';
  const { name, times } = profile;
  return (
    [
      `seed ${seed} (${name}, lease ${times.leaseMs} ms) broke:`,
      ...violations.slice(0, SHOWN).map((violation) => `    ${violation}`),
    ].join('\n') +
    more +
    `\n  replay: MUSTER_SEED=${seed} npm test -- test/simulation/simulation.test.ts`
  );
}
