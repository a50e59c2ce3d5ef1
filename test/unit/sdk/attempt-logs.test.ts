/** Log records of handlers on their way to the server: in heartbeats and reports, once each, within bounds. */
import { describe, expect, test } from 'vitest';
import { Code } from '../../../sdk/typescript/src/error.ts';
import {
  LOG_DELAY,
  LOG_GAP,
  LOG_GAP_ROUND_TRIPS,
  MAX_LOG_BYTES,
  PROGRESS_DELAY,
} from '../../../sdk/typescript/src/worker/core/base/limits.ts';
import { LogTail } from '../../../sdk/typescript/src/worker/core/sessions/log-tail.ts';
import { logLine } from '../../../sdk/typescript/src/worker/log-line.ts';
import { progressMessage } from '../../../sdk/typescript/src/worker/progress.ts';
import { assign, CoreWorld, failure } from './support/core-world.ts';

const KIB = 1024;
const line = (sequence: number, text = `line ${sequence}`) => logLine(sequence, 1_500, 'info', text);

async function busy() {
  const world = new CoreWorld({ slots: 1 });
  const job = assign(1, await world.ready());
  await world.deliver([job]);
  const slot = world.slotOf(job);
  return { world, job, slot };
}

const inBeats = (world: CoreWorld) =>
  world.beats.flatMap(({ request }) => request.progress.map(({ logs }) => logs.map((one) => Number(one.sequence))));
const inReport = (world: CoreWorld) => world.lastReport.request.reports[0]?.logs.map((one) => Number(one.sequence));

describe('log records', () => {
  test('are sent with a heartbeat within a second, and are not repeated once that is answered', async () => {
    const { world, job, slot } = await busy();
    world.core.log(slot, [logLine(1, 1_500, 'warn', 'careful', { rows: 7 })]);
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([
      {
        jobId: job.jobId,
        attempt: 1,
        sequence: 0n,
        logs: [{ sequence: 1n, logTime: { seconds: 1n, nanos: 500_000_000 }, level: 3, fields: { rows: '7' } }],
      },
    ]);
    expect(world.lastBeat.request.progress[0]?.progress).toBeUndefined();
    await world.answerBeats();
    await world.advanceBeating(6_000);
    expect(inBeats(world)).toEqual([[1]]);
  });

  test('are sent within 10 ms after a silence, then five times a second, and less often while heartbeats are slow', async () => {
    const { world, slot } = await busy();
    await world.advanceBeating(3_000);
    const sentAfter = async (sequence: number, ms: number) => {
      const before = world.beats.length;
      world.core.log(slot, [line(sequence)]);
      await world.time.advance(ms - 1);
      expect(world.beats.length).toBe(before);
      await world.time.advance(1);
      expect(inBeats(world).at(-1)).toEqual([sequence]);
    };
    await sentAfter(1, LOG_DELAY);
    await world.answerBeats();
    await sentAfter(2, LOG_GAP);
    await world.time.advance(40);
    await world.answerBeats();
    await sentAfter(3, 40 * LOG_GAP_ROUND_TRIPS - 40);
    await world.time.advance(800);
    await world.answerBeats();
    await sentAfter(4, PROGRESS_DELAY - 800);
  });

  test('of an attempt that ends at once cause no heartbeat', async () => {
    const { world, job, slot } = await busy();
    await world.advanceBeating(3_000);
    const before = world.beats.length;
    world.core.log(slot, [line(1)]);
    await world.end(job);
    await world.time.advance(LOG_DELAY);
    expect([world.beats.length, inReport(world)]).toEqual([before, [1]]);
  });

  test('of a failed or pending heartbeat are sent again, before later records', async () => {
    const { world, slot } = await busy();
    world.core.log(slot, [line(1)]);
    await world.time.advance(1_000);
    world.core.log(slot, [line(2)]);
    await world.lastBeat.fail(Code.UNAVAILABLE);
    await world.time.advance(1_000);
    world.core.log(slot, [line(3)]);
    await world.time.advance(1_000);
    expect(inBeats(world)).toEqual([[1], [1, 2], [1, 2, 3]]);
    await world.beats.at(-2)?.answer(emptyReply);
    world.core.log(slot, [line(4)]);
    await world.time.advance(1_000);
    expect(inBeats(world).at(-1)).toEqual([3, 4]);
  });

  test('do not change progress, and are sent along with its next change', async () => {
    const { world, slot } = await busy();
    world.core.progress(slot, progressMessage({ fraction: 0.5, message: '' }));
    await world.advanceBeating(1_000);
    world.core.log(slot, [line(1)]);
    await world.time.advance(1_000);
    const [update] = world.lastBeat.request.progress;
    expect([update?.progress, update?.sequence, update?.logs.length]).toEqual([undefined, 1n, 1]);
    world.core.progress(slot, progressMessage({ fraction: 0.7, message: '' }));
    await world.time.advance(1_000);
    expect(world.lastBeat.request.progress).toMatchObject([{ sequence: 2n, progress: { fraction: 0.7 }, logs: [{}] }]);
  });

  test('that no heartbeat has carried are sent with the report, whatever the outcome, also when it is repeated', async () => {
    const { world, job, slot } = await busy();
    world.core.log(slot, [line(1)]);
    await world.advanceBeating(1_000);
    world.core.log(slot, [line(2), line(3)]);
    await world.end(job, failure());
    expect(inReport(world)).toEqual([2, 3]);
    await world.lastReport.fail(Code.UNAVAILABLE);
    await world.advanceBeating(2_500);
    expect(world.reports).toHaveLength(2);
    expect(inReport(world)).toEqual([2, 3]);
    expect(inBeats(world)).toEqual([[1]]);
  });

  test('of a refused report do not cause a refusal of the failure that replaces it', async () => {
    const { world, job, slot } = await busy();
    world.core.log(slot, [line(1)]);
    await world.end(job);
    await world.lastReport.fail(Code.INVALID_ARGUMENT);
    expect(world.outcomes.at(-1)).toBe('1.1 failure ReportRefused');
    expect(inReport(world)).toEqual([]);
  });

  test('of an attempt that is over are ignored', async () => {
    const { world, job, slot } = await busy();
    await world.end(job);
    world.core.log(slot, [line(1)]);
    await world.advanceBeating(2_000);
    expect(inBeats(world)).toEqual([]);
  });

  test('of more attempts than a heartbeat may carry are split over several', async () => {
    const world = new CoreWorld({ slots: 1_500 });
    const credit = await world.ready();
    const jobs = Array.from({ length: 1_500 }, (_, i) => assign(i + 1, credit));
    await world.deliver(jobs);
    for (const job of jobs) world.core.log(world.slotOf(job), [line(1)]);
    await world.advanceBeating(2_000);
    const sizes = world.beats.map(({ request }) => request.progress.length).filter((size) => size > 0);
    expect(sizes).toEqual([1_000, 500]);
  });
});

describe('a flood of log records', () => {
  test('is cut to the newest 64 KiB of an attempt, and the numbers show the gap', async () => {
    const { world, slot } = await busy();
    const lines = Array.from({ length: 1_000 }, (_, i) => line(i + 1, 'x'.repeat(KIB)));
    world.core.log(slot, lines);
    await world.time.advance(1_000);
    const [sent] = inBeats(world);
    expect(sent?.at(-1)).toBe(1_000);
    expect(sent?.[0]).toBe(1_000 - (sent?.length ?? 0) + 1);
    expect((sent?.length ?? 0) * KIB).toBeLessThanOrEqual(MAX_LOG_BYTES);
    expect((sent?.length ?? 0) * KIB).toBeGreaterThan(MAX_LOG_BYTES - 8 * KIB);
  });

  test('keeps at least one line', () => {
    const tail = new LogTail();
    tail.add({ ...line(1), bytes: MAX_LOG_BYTES + 1 });
    expect(tail.lastSequence).toBe(1);
    tail.confirm(1);
    expect([tail.empty, tail.bytes]).toEqual([true, 0]);
  });
});

describe('a log line', () => {
  test('is cut after 8 KiB, between characters', () => {
    const { message, truncated, bytes } = line(1, 'ä€'.repeat(8 * KIB));
    expect(Buffer.byteLength(message)).toBeGreaterThan(8 * KIB - 4);
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(8 * KIB);
    expect(message).toMatch(/^(ä€)+ä?$/);
    expect([truncated, bytes <= 8 * KIB + 64]).toEqual([true, true]);
    expect(line(1, 'short').truncated).toBe(false);
  });

  test('converts its fields to text, and never throws', () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const facts = { text: 'a', number: 1.5, list: [1], none: null, gone: undefined, big: 10n, cyclic, odd: '\ud800' };
    expect(logLine(1, 0, 'debug', '', facts)).toMatchObject({
      fields: {
        text: 'a',
        number: '1.5',
        list: '[1]',
        none: 'null',
        big: '10',
        cyclic: '(not to be written)',
        odd: '\ufffd',
      },
      truncated: false,
    });
    expect(logLine(1, 0, 'error', '', { error: new TypeError('no') }).fields.error).toMatch(/^TypeError: no\n/);
  });

  test('drops fields that are too many or too long', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, i]));
    const cut = logLine(1, 0, 'info', '', many);
    expect([Object.keys(cut.fields).length, cut.truncated]).toEqual([32, true]);
    expect(logLine(1, 0, 'info', '', { long: 'x'.repeat(9 * KIB), short: 'y' })).toMatchObject({
      fields: { short: 'y' },
      truncated: true,
    });
  });
});

const emptyReply = {
  $typeName: 'muster.worker.v1.SendHeartbeatResponse' as const,
  assignments: [],
  cancels: [],
  drain: false,
  reconnectBus: false,
  natsUrls: [],
  suspends: [],
};
