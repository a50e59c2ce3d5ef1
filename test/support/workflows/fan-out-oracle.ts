/** A fan-out as a list of item states, fully evaluated each time. */
import type { FanOut, SuccessRule } from '../../../server/domain/workflows/workflow.ts';

export type Item = 'UNSTARTED' | 'OPEN' | 'SUCCEEDED' | 'FAILED';

export type Outcome = 'CONTINUE' | 'SUCCEED' | 'FAIL';

function placesIn({ indexes }: SuccessRule, size: number): number[] {
  const all = Array.from({ length: size }, (_, place) => place);
  return indexes ? all.filter((place) => indexes.some(([first, last]) => first <= place && place <= last)) : all;
}

function holds(rule: SuccessRule, items: readonly Item[]): boolean {
  const places = placesIn(rule, items.length);
  const good = places.filter((place) => items[place] === 'SUCCEEDED');
  const all = places.length > 0 && good.length === places.length;
  return all || (good.length > 0 && rule.count !== undefined && good.length >= rule.count);
}

export function outcomeOf({ maxFailed, successPolicy }: FanOut, items: readonly Item[]): Outcome {
  const failed = items.filter((item) => item === 'FAILED').length;
  if (maxFailed !== undefined && failed > maxFailed) return 'FAIL';
  if (successPolicy?.some((rule) => holds(rule, items))) return 'SUCCEED';
  if (items.some((item) => item === 'UNSTARTED' || item === 'OPEN')) return 'CONTINUE';
  return failed > 0 ? 'FAIL' : 'SUCCEED';
}
