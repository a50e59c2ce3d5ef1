/** Every row of the bad-input catalogue is shown on each port where it can occur, or says why it is not. */
import { readFileSync } from 'node:fs';
import { SessionService } from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { describe, expect, it } from 'vitest';
import { allMethods } from '../../../support/docs/contract.ts';
import { badRequests } from '../bad-requests/index.ts';
import { placesOf } from '../mutations/paths.ts';
import { badValuesOf } from '../mutations/values.ts';
import { catalogue } from './catalogue.ts';

type Port = 'grpc' | 'http';

function isOn(port: Port, parent: unknown): boolean {
  return port === 'grpc' || parent !== SessionService;
}

/** The number of cases of the row that `shown` has for that port. */
function casesOf(row: string, port: Port, shown: string): number {
  if (shown === 'requests') return badRequests.filter((bad) => bad.row === row && isOn(port, bad.method.parent)).length;
  if (shown === 'fields')
    return allMethods
      .filter(({ parent }) => isOn(port, parent))
      .flatMap(({ input }) => placesOf(input))
      .flatMap(({ field }) => badValuesOf(field))
      .filter((bad) => bad.row === row).length;
  const text = readFileSync(new URL(shown, import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`['"\`(, ]${row}\\b`, 'g'))].length;
}

/** Whether wire.test.ts lists it among the RPCs of later releases. */
function isToCome(rpc: string): boolean {
  return readFileSync(new URL('wire.test.ts', import.meta.url), 'utf8').includes(`    '${rpc}',`);
}

describe('row', () => {
  it.each(Object.entries(catalogue))('%s', (row, { what, grpc, http, until, why }) => {
    if (until && isToCome(until)) return;
    for (const [port, shown] of Object.entries({ grpc, http }) as [Port, string | undefined][]) {
      const found = shown === undefined ? why?.length : casesOf(row, port, shown);
      expect({ what, port, shown, found }).toEqual({ what, port, shown, found: expect.any(Number) });
      expect(found).toBeGreaterThan(0);
    }
  });
});

it('the catalogue contains every row that a request names', () => {
  const named = new Set(badRequests.map(({ row }) => row).filter((row) => row !== ''));
  expect([...named].filter((row) => !(row in catalogue))).toEqual([]);
});
