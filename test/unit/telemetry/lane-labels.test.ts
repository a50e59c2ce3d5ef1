/** Labels of job metrics stay bounded, whatever names users choose. */
import { expect, it } from 'vitest';
import { mostNames } from '../../../server/telemetry/metrics/catalogue.ts';
import { ByLane } from '../../../server/telemetry/metrics/lane-labels.ts';

const names = (n: number) => ({ namespace: 'default', queue: `q${n}`, definition: 'd' });

it('the labels keep the first names, and all further names share "other"', () => {
  const made: string[] = [];
  const lanes = new ByLane((labels) => {
    made.push(labels['muster.queue']);
    return labels;
  });
  for (let n = 0; n < mostNames.jobs + 50; n++) lanes.learn(n, names(n));
  lanes.learn(9_999, names(3));
  expect(lanes.of(3)['muster.queue']).toBe('q3');
  expect(lanes.of(9_999)).toBe(lanes.of(3));
  const other = { 'muster.namespace': 'other', 'muster.queue': 'other', 'muster.definition': 'other' };
  expect(lanes.of(mostNames.jobs)).toEqual(other);
  expect(lanes.of(mostNames.jobs + 49)).toBe(lanes.of(mostNames.jobs));
  expect(lanes.of(123_456)).toBe(lanes.of(mostNames.jobs));
  expect(made).toHaveLength(mostNames.jobs + 1);
});
