/** What tests of planted faults share: many run at once, since each waits in vain for what its fault keeps from coming. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { CaseResult, KitOptions } from '../../../server/tools/conformance/case-run.ts';
import { Bus } from '../../../server/tools/conformance/plane/bus.ts';
import { runCases } from '../../../server/tools/conformance/run-kit.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { applyPatch } from '../../simulation/mutants/plant.ts';
import type { Bug } from '../planted/bug.ts';

const AT_ONCE = 24;
/** How long a step waits for what a fault keeps from coming. */
const PATIENCE_MS = 6_000;

/** Runs cases by their names, all at once, in the order of the kit. */
export type RunCases = (command: readonly string[], names: readonly string[]) => Promise<readonly CaseResult[]>;

/** Lets tests of this file run many at once, over one bus. `again`: as of the kit. */
export function onOneBus({ again }: Pick<KitOptions, 'again'> = {}): RunCases {
  vi.setConfig({ maxConcurrency: AT_ONCE });
  let bus: Bus;
  beforeAll(async () => {
    bus = await Bus.start();
  });
  afterAll(() => bus?.stop());
  return (command, names) => {
    const cases = allCases.filter(({ name }) => names.includes(name));
    const { signal } = new AbortController();
    const bounds = { parallel: cases.length, patienceMs: PATIENCE_MS, ...(again === undefined ? {} : { again }) };
    return runCases({ command, cases, seed: 1, signal, ...bounds, onResult: () => {} }, bus);
  };
}

/** The source of a file with the patches that a bug has for it. */
export function sourceWith({ patches }: Bug, file: string): string {
  const source = readFileSync(file, 'utf8');
  return patches.filter((patch) => patch.file === file).reduce(applyPatch, source);
}

export function bugsFitTheirSource(bugs: readonly Bug[]): void {
  it.each(bugs.map((bug) => [bug.name, bug] as const))('"%s" fits the source that it is planted in', (_name, bug) => {
    expect(allCases.map(({ name }) => name)).toContain(bug.fails);
    for (const { file } of bug.patches) expect(sourceWith(bug, file)).not.toBe(readFileSync(file, 'utf8'));
  });
}
