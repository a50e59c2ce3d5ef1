/** Calls of the client about schedules, on a real control plane. */
import { CatchUpPolicy, Code, OverlapPolicy, ScheduleRunState } from '@muster-jobs/sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Deployment } from './deployment.ts';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start();
  await deployment.client.applyDefinition({ name: 'report' });
});

afterAll(() => deployment?.stop());

const refused = (code: number, reason: string) => expect.objectContaining({ code, reason });
const reports = { name: 'reports', crons: ['0 9 * * *'], timeZone: 'Europe/Vienna', definition: 'report' } as const;

it('a schedule is validated, created, read, changed, listed and deleted', async () => {
  const { client } = deployment;
  const checked = await client.checkSchedule(reports);
  expect(checked.nextTimes).toHaveLength(5);
  await expect(client.getSchedule('reports')).rejects.toEqual(refused(Code.NOT_FOUND, 'SCHEDULE_NOT_FOUND'));
  const made = await client.applySchedule({
    ...reports,
    intervals: [{ everyMs: 3_600_000, offsetMs: 60_000 }],
    calendars: [{ dayOfWeek: 'mon' }],
    exclusions: [{ month: 'dec' }],
    startTime: new Date('2030-01-01T00:00:00Z'),
    endTime: new Date('2031-01-01T00:00:00Z'),
    jitterMs: 5_000,
    input: { days: 1 },
    job: { priority: 3, labels: { team: 'a' }, runTimeoutMs: 60_000 },
    overlapPolicy: OverlapPolicy.CANCEL_OTHER,
    catchUpPolicy: CatchUpPolicy.ALL,
    catchUpWindowMs: 60_000,
    pauseOnFailure: true,
    maxRuns: 7,
    description: 'each morning',
  });
  expect(made).toMatchObject({
    times: {
      crons: ['0 9 * * *'],
      intervals: [{ every: { seconds: 3_600n }, offset: { seconds: 60n } }],
      calendars: [{ dayOfWeek: 'mon' }],
      exclusions: [{ month: 'dec' }],
      startTime: { seconds: 1_893_456_000n },
      jitter: { seconds: 5n },
    },
    job: { definition: 'report', priority: 3, labels: { team: 'a' }, runTimeout: { seconds: 60n } },
    overlapPolicy: OverlapPolicy.CANCEL_OTHER,
    catchUpPolicy: CatchUpPolicy.ALL,
    catchUpWindow: { seconds: 60n },
    pauseOnFailure: true,
    maxRuns: 7n,
    description: 'each morning',
  });
  const changed = await client.applySchedule({ ...reports, etag: made.etag });
  expect(changed.maxRuns).toBe(0n);
  const stale = client.applySchedule({ ...reports, description: 'x', etag: made.etag });
  await expect(stale).rejects.toEqual(refused(Code.ABORTED, 'ETAG_STALE'));
  expect((await client.getSchedule('reports')).etag).toBe(changed.etag);
  expect((await client.listSchedules()).schedules.map(({ name }) => name)).toEqual(['reports']);
  await client.deleteSchedule('reports');
  await expect(client.deleteSchedule('reports')).rejects.toEqual(refused(Code.NOT_FOUND, 'SCHEDULE_NOT_FOUND'));
});

it('a schedule is previewed, paused, triggered and backfilled', async () => {
  const { client } = deployment;
  const after = { afterTime: new Date('2026-03-28T00:00:00Z'), count: 2 };
  const expected = ['2026-03-28T08:00:00.000Z', '2026-03-29T07:00:00.000Z'];
  const iso = (times: readonly Date[]) => times.map((time) => time.toISOString());
  expect(iso(await client.previewSchedule({ crons: ['0 9 * * *'], timeZone: 'Europe/Vienna' }, after))).toEqual(
    expected,
  );
  await client.applySchedule(reports);
  expect(iso(await client.previewSchedule('reports', after))).toEqual(expected);
  expect(await client.pauseSchedule('reports', 'moving')).toMatchObject({ paused: true, pauseReason: 'moving' });
  expect(await client.resumeSchedule('reports')).toMatchObject({ paused: false });
  const run = await client.triggerSchedule('reports', { overlapPolicy: OverlapPolicy.ALLOW_ALL });
  expect(run.state).toBe(ScheduleRunState.STARTED);
  expect((await client.get(run.jobId)).labels).toMatchObject({ 'muster/schedule': 'reports' });
  const [from, to] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-01-03T00:00:00Z')];
  expect(await client.backfillSchedule('reports', from, to, { overlapPolicy: OverlapPolicy.ALLOW_ALL })).toBe(2);
  const { runs } = await client.listScheduleRuns('reports');
  expect(runs.map(({ state }) => state)).toEqual(Array(3).fill(ScheduleRunState.STARTED));
});
