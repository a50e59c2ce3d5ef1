/** Dependencies on assets: from when a publication counts. */
import { expect, it } from 'vitest';
import { linkOf } from '../../../server/domain/dependencies/links.ts';

const HOUR_US = 3_600_000_000;

function linked({ nowUs, madeUs, publishTimeUs }: Record<'nowUs' | 'madeUs' | 'publishTimeUs', number>) {
  const on = { kind: 'ASSET', name: 'a', madeUs } as const;
  const asset = { name: 'a', publishTimeUs, jobId: 'publisher', nowUs };
  const facts = { jobs: new Map(), steps: new Map(), assets: new Map([['a', asset]]) };
  const link = linkOf({ on, condition: 'SUCCEEDED' }, facts);
  const stored = link?.dependency.on;
  return { ending: link?.ending, afterUs: stored?.kind === 'ASSET' ? stored.afterUs : undefined };
}

it('a publication counts from the time that the database read under the lock', () => {
  const [madeUs, nowUs] = [10 * HOUR_US, 10 * HOUR_US + 5_000];
  expect(linked({ madeUs, nowUs, publishTimeUs: nowUs })).toEqual({ ending: undefined, afterUs: nowUs });
  expect(linked({ madeUs, nowUs, publishTimeUs: nowUs + 1 })).toEqual({ ending: 'SUCCEEDED', afterUs: nowUs });
});

it.each([-1, 1])("it counts from the replica's time if the database's clock is %i h off", (hours) => {
  const madeUs = 10 * HOUR_US;
  const nowUs = madeUs + hours * HOUR_US;
  expect(linked({ madeUs, nowUs, publishTimeUs: madeUs - 1 })).toEqual({ ending: undefined, afterUs: madeUs });
  expect(linked({ madeUs, nowUs, publishTimeUs: madeUs + 1 })).toEqual({ ending: 'SUCCEEDED', afterUs: madeUs });
});
