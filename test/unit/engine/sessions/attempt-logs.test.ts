/** Logs on their way into the store: logs of one flush are merged, and a log that can not be stored delays no other. */
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../../server/engine/base/errors.ts';
import type { AttemptLog } from '../../../../server/engine/ports/logs.ts';
import { AttemptLogs } from '../../../../server/engine/sessions/attempt-logs.ts';
import { constantRandom, settle, VirtualTime } from '../base/virtual-time.ts';

function logOf(jobId: string, sequences: readonly number[], changes: { sessionId?: string; size?: number } = {}) {
  const { sessionId = 's', size = 1 } = changes;
  const rest = { timeUs: 0, level: 'INFO', message: 'x'.repeat(size), fields: {}, truncated: false } as const;
  const records = sequences.map((sequence) => ({ sequence, ...rest }));
  return { jobId, attempt: 1, sessionId, records } satisfies AttemptLog;
}

/** Saves wait until the test ends them. */
function logsWith() {
  const saves: { logs: readonly AttemptLog[]; end: (error?: Error) => void }[] = [];
  const warnings: Record<string, unknown>[] = [];
  const stored: (readonly string[])[] = [];
  const silent = () => {};
  const logs = new AttemptLogs({
    store: {
      saveLogs: (all) =>
        new Promise((resolve, reject) => {
          saves.push({ logs: all, end: (error) => (error ? reject(error) : resolve()) });
        }),
      readLogs: () => Promise.reject(new Error('not asked for')),
      readJob: async () => undefined,
    },
    timers: new VirtualTime(),
    random: constantRandom(0.5),
    log: { info: silent, error: silent, warn: (facts) => void warnings.push(facts) },
    onStored: (jobIds) => void stored.push(jobIds),
  });
  return { logs, saves, stored, warnings };
}

describe('logs', () => {
  it('of one attempt in one flush are merged by line number; those of another session stay separate', async () => {
    const { logs, saves, stored } = logsWith();
    // A flush is running: logs that come now wait for the next one.
    const first = logs.save([logOf('a', [1])]);
    const waiting = [
      logs.save([logOf('c', [3, 4])]),
      logs.save([logOf('c', [1, 2, 3]), logOf('c', [1], { sessionId: 'other' })]),
    ];
    await settle();
    saves[0]?.end();
    await first;
    await settle();
    const [together] = saves.slice(1);
    expect(together?.logs.map(({ sessionId, records }) => [sessionId, records.map((one) => one.sequence)])).toEqual([
      ['s', [1, 2, 3, 4]],
      ['other', [1]],
    ]);
    expect(stored).toEqual([['a']]);
    together?.end();
    await Promise.all(waiting);
    expect(stored).toEqual([['a'], ['c']]);
  });

  it('that the store refuses are dropped, and a warning gives their number', async () => {
    const { logs, saves, stored, warnings } = logsWith();
    const saving = logs.save([logOf('a', [1])]);
    saves[0]?.end(Object.assign(new Error('no room'), { code: '53100' }));
    await saving;
    expect(stored).toEqual([]);
    expect(warnings).toEqual([{ reason: 'STORE_FULL', message: expect.any(String), attempts: 1 }]);
  });

  it('are stored again after the database did not answer', async () => {
    const { logs, saves, warnings } = logsWith();
    const saving = logs.save([logOf('a', [1])]);
    saves[0]?.end(Object.assign(new Error('gone'), { code: '08006' }));
    await expect(saving).rejects.toEqual(expect.objectContaining({ reason: 'STORE_UNAVAILABLE' }));
    await expect(saving).rejects.toBeInstanceOf(EngineError);
    expect(warnings).toEqual([]);
  });

  it('that come faster than the store takes them are bounded', async () => {
    const { logs, saves, warnings } = logsWith();
    const large = { size: 64 * 1024 };
    const all = Array.from({ length: 2_000 }, (_, i) => logs.save([logOf(`${i}`, [1], large)]));
    await settle();
    expect(warnings.length).toBeGreaterThan(1_000);
    expect(new Set(warnings.map(({ reason }) => reason))).toEqual(new Set(['OVERLOADED']));
    while (saves.length > 0) {
      for (const { end } of saves.splice(0)) end();
      await settle();
    }
    await Promise.all(all);
  });

  it('of a job that does not exist are not read', async () => {
    const { logs } = logsWith();
    const query = { jobId: 'a', attempt: undefined, after: { attempt: 0, sequence: 0 }, limit: 1 };
    await expect(logs.read('default', query)).rejects.toEqual(expect.objectContaining({ reason: 'JOB_NOT_FOUND' }));
  });
});
