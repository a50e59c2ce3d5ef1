/** Readiness: what a load balancer and an operator are answered while parts of a replica are down. */
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { healthAnswer } from '../../../server/api/base/servers/health.ts';

const readyz = { method: 'GET', url: '/readyz' } as IncomingMessage;

async function answerWith(down: { readonly database?: false; readonly bus?: false }) {
  const parts = { database: true, bus: true, events: true, time: undefined, daysAhead: 7, ...down };
  return healthAnswer(readyz, { release: { version: '0', protocolVersion: 1 }, ready: async () => parts });
}

describe('/readyz', () => {
  it.each([
    ['all parts', {}, 200, 'ready'],
    ['all parts but the bus', { bus: false }, 200, 'degraded'],
    ['all parts but the database', { database: false }, 503, 'not ready'],
    ['neither database nor bus', { database: false, bus: false }, 503, 'not ready'],
  ] as const)('with %s answers truthfully', async (_what, down, status, text) => {
    expect(await answerWith(down)).toEqual({ status, body: expect.objectContaining({ status: text, ...down }) });
  });
});
