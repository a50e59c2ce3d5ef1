/** Helpers for planted bugs. Many cases run at once, because each waits in vain for a message that its bug prevents. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { CaseResult, KitOptions } from '../../../server/tools/conformance/case-run.ts';
import { Bus } from '../../../server/tools/conformance/plane/bus.ts';
import { runCases } from '../../../server/tools/conformance/run-kit.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { applyPatch } from '../../simulation/mutants/plant.ts';
import type { Bug } from '../planted/bug.ts';

const AT_ONCE = 24;
/** How long a step waits for a message that a bug suppresses. */
const PATIENCE_MS = 6_000;

/** Runs cases by name, all at once, in the order of the kit. */
export type RunCases = (command: readonly string[], names: readonly string[]) => Promise<readonly CaseResult[]>;

/** Lets tests of this file run many cases at once, over one bus. `again` is the option of the kit. */
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

/** The source of a file with the patches of the bug. */
export function sourceWith({ patches }: Bug, file: string): string {
  const source = readFileSync(file, 'utf8');
  return patches.filter((patch) => patch.file === file).reduce(applyPatch, source);
}

export function bugsFitTheirSource(bugs: readonly Bug[]): void {
  it.each(bugs.map((bug) => [bug.name, bug] as const))('the bug "%s" fits the source that it changes', (_name, bug) => {
    expect(allCases.map(({ name }) => name)).toContain(bug.fails);
    for (const { file } of bug.patches) expect(sourceWith(bug, file)).not.toBe(readFileSync(file, 'utf8'));
  });
}
