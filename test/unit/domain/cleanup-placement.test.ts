import { expect, it } from 'vitest';
import { canonicalDemands, cleanupKey, parseDemands } from '../../../server/domain/dispatch/placement.ts';

it('what cleans up keeps softly to the worker that the cancelled job had to wait for', () => {
  const demands = canonicalDemands({ labels: { zone: 'a' }, sticky: { worker: 'one', mode: 'HARD' } });
  const lane = { namespace: 'n', queue: 'q', definition: 'd', definitionVersion: 1, demands, suspect: true };
  const key = cleanupKey(lane);
  expect(key).toMatchObject({ suspect: false, cleanup: true, queue: 'q' });
  expect(parseDemands(key.demands)).toEqual({ labels: { zone: 'a' }, sticky: { worker: 'one', mode: 'SOFT' } });
  expect(cleanupKey({ ...lane, demands: '' }).demands).toBe('');
});
