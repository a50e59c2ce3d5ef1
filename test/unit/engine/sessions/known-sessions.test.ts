/** What a replica remembers of sessions is bounded: those that end at other replicas would stay for ever. */
import { describe, expect, it } from 'vitest';
import { Sessions, type SessionsParts } from '../../../../server/engine/sessions/sessions.ts';
import { constantRandom, VirtualTime } from '../base/virtual-time.ts';

const SESSIONS = 20_000;

describe('the sessions that a replica remembers', () => {
  it('are those that were used last; others are read again', async () => {
    const read: string[] = [];
    const rowOf = (sessionId: string) => ({
      sessionId,
      state: 'OPEN',
      handlers: [],
      labels: {},
      resources: {},
      beats: 1,
      pingEcho: 1,
    });
    const time = new VirtualTime();
    const parts = {
      store: {
        readSessions: async ([sessionId]: [string]) => {
          read.push(sessionId);
          return [rowOf(sessionId)];
        },
      },
      credits: { void: () => {}, deposit: () => {} },
      dispatcher: { wake: () => {} },
      timers: time,
      random: constantRandom(0.5),
    };
    const sessions = new Sessions(parts as unknown as SessionsParts);
    const use = (n: number) => sessions.grant(`session ${n}`, [{ creditId: 1, slots: 1, prefetch: 0 }] as never, []);
    for (let n = 0; n < SESSIONS; n++) await use(n);
    await use(0);
    expect(read).toHaveLength(SESSIONS);
    await use(SESSIONS);
    await use(0);
    expect(read.slice(SESSIONS)).toEqual([`session ${SESSIONS}`]);
    await use(1);
    expect(read.at(-1)).toBe('session 1');
  });
});
