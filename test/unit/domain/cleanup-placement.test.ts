import { expect, it } from 'vitest';
import { canonicalDemands, cleanupKey, parseDemands } from '../../../server/domain/dispatch/placement.ts';

it('a clean-up job prefers the worker that the cancelled job was bound to', () => {
  const demands = canonicalDemands({ labels: { zone: 'a' }, sticky: { worker: 'one', mode: 'HARD' } });
  const lane = { namespace: 'n', queue: 'q', definition: 'd', definitionVersion: 1, demands, suspect: true };
  const key = cleanupKey({ ...lane, atLimit: true });
  expect(key).toMatchObject({ suspect: false, cleanup: true, atLimit: false, queue: 'q' });
  expect(parseDemands(key.demands)).toEqual({ labels: { zone: 'a' }, sticky: { worker: 'one', mode: 'SOFT' } });
  expect(cleanupKey({ ...lane, demands: '' }).demands).toBe('');
});
