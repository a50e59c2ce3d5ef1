/** Ids of traces: derived from the job, different where required, and read as W3C specifies. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uuid7 } from '../../../server/domain/base/uuid.ts';
import {
  isSampled,
  parseTraceparent,
  spanContext,
  spanIdOf,
  type TracePhase,
  traceIdOf,
  traceparentOf,
} from '../../../server/domain/events/trace.ts';

const jobId = fc
  .record({
    ms: fc.integer({ min: 0, max: 2 ** 47 }),
    counter: fc.integer({ min: 0, max: 4095 }),
    random: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  })
  .map(({ ms, counter, random }) => uuid7(ms, counter, random));
const digits = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((all) => all.map((digit) => digit.toString(16)).join(''))
    .filter((text) => /[^0]/.test(text));
const context = fc.record({ traceId: digits(32), spanId: digits(16), sampled: fc.boolean() });
const phase = fc.constantFrom<TracePhase>('job', 'wait', 'attempt');
const attempt = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const sampling = fc.record({ followsCaller: fc.boolean(), ratio: fc.double({ min: 0, max: 1, noNaN: true }) });

/** The same hash in the notation of its authors, with one wide integer. */
function fnv1a(bytes: readonly number[]): string {
  const hash = bytes.reduce(
    (sum, byte) => ((sum ^ BigInt(byte)) * 0x100000001b3n) & (2n ** 64n - 1n),
    0xcbf29ce484222325n,
  );
  return hash.toString(16).padStart(16, '0');
}

describe('the id of a span', () => {
  it('is FNV-1a of job, attempt and phase', () => {
    fc.assert(
      fc.property(jobId, attempt, phase, (id, n, name) => {
        const bytes = [...Buffer.from(id.replaceAll('-', ''), 'hex'), ...Buffer.alloc(4), ...Buffer.from(name)];
        Buffer.from(Uint32Array.of(n).buffer)
          .reverse()
          .forEach((byte, at) => {
            bytes[16 + at] = byte;
          });
        expect(spanIdOf(id, n, name)).toBe(fnv1a(bytes));
      }),
    );
  });

  it('equals the example in the guide', () => {
    const guide = readFileSync(new URL('../../../docs/traces.md', import.meta.url), 'utf8');
    const rows = [...guide.matchAll(/^\| `(job|wait|attempt)` \| (\d+) \| `([0-9a-f]{16})` \|$/gm)];
    expect(rows.length).toBeGreaterThan(3);
    for (const [, name, n, id] of rows)
      expect(spanIdOf('0198c0de-0000-7000-8000-000000000001', Number(n), name as TracePhase)).toBe(id);
  });

  it('is valid for W3C, and unique per job, attempt and phase', () => {
    const key = fc.tuple(jobId, attempt, phase);
    fc.assert(
      fc.property(fc.uniqueArray(key, { minLength: 2, maxLength: 300, selector: String }), (keys) => {
        const ids = keys.map((one) => spanIdOf(...one));
        expect(new Set(ids).size).toBe(keys.length);
        for (const id of ids) expect(id).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
      }),
    );
  });

  it('does not repeat within a job of many attempts, or among 10,000 jobs of one call', () => {
    const random = (n: number) =>
      Uint8Array.from({ length: 16 }, (_, at) => (n * 2_654_435_761 + at * at * n) >>> ((at % 4) * 8));
    const ids = new Set<string>();
    const id = uuid7(1_795_000_000_000, 0, random(7));
    for (let n = 0; n < 10_000; n++) for (const name of ['wait', 'attempt'] as const) ids.add(spanIdOf(id, n, name));
    expect(ids.size).toBe(20_000);
    for (let n = 0; n < 10_000; n++) ids.add(spanIdOf(uuid7(1_795_000_000_001, n % 4096, random(n)), 1, 'attempt'));
    expect(ids.size).toBe(30_000);
  });
});

describe('the id of a trace', () => {
  it("is the caller's, or else the job's", () => {
    fc.assert(
      fc.property(jobId, context, (id, caller) => {
        expect(traceIdOf({ jobId: id, traceparent: traceparentOf(caller) })).toBe(caller.traceId);
        for (const none of ['', 'rubbish'])
          expect(traceIdOf({ jobId: id, traceparent: none })).toBe(id.replaceAll('-', ''));
      }),
    );
  });
});

describe('a traceparent', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(context, (one) => {
        expect(parseTraceparent(traceparentOf(one))).toEqual(one);
      }),
    );
  });

  it.each([
    ['a later version and more content', 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes', true],
    ['other flags', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03', true],
    ['a flag that is not for sampling', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02', false],
  ])('with %s is read', (_what, text, sampled) => {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    expect(parseTraceparent(text)).toEqual({ traceId, spanId, sampled });
  });

  it.each([
    ['', 'nothing'],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', 'more than its version has'],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.', 'garbage at its end'],
    ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'the version ff'],
    ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', 'capitals'],
    ['00-00000000000000000000000000000000-b7ad6b7169203331-01', 'a trace id of zeros'],
    ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', 'a span id of zeros'],
    ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331', 'no flags'],
    ['00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01', 'a digit too few'],
  ])('is refused for the text "%s": %s', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe('sampling', () => {
  it('follows the caller, or depends on the trace id only', () => {
    fc.assert(
      fc.property(jobId, context, sampling, (id, caller, rule) => {
        const called = { jobId: id, traceparent: traceparentOf(caller) };
        if (rule.followsCaller) expect(isSampled(called, rule)).toBe(caller.sampled);
        const again = { jobId: id, traceparent: traceparentOf({ ...caller, sampled: !caller.sampled }) };
        if (!rule.followsCaller) expect(isSampled(called, rule)).toBe(isSampled(again, rule));
        for (const one of [called, { jobId: id, traceparent: '' }]) {
          const { sampled, traceId } = spanContext(one, 1, 'attempt', rule);
          // A span's context has the same flag as the job's own.
          const child = { jobId: id, traceparent: traceparentOf(spanContext(one, 0, 'job', rule)) };
          expect(isSampled(child, rule)).toBe(sampled);
          expect(traceIdOf(child)).toBe(traceId);
        }
      }),
    );
  });

  it('keeps all traces, none, or about the given share', () => {
    const kept = (ratio: number) => {
      const jobs = Array.from({ length: 4_000 }, (_, n) => ({
        jobId: uuid7(
          1_795_000_000_000 + n,
          n,
          Uint8Array.from({ length: 16 }, (__, at) => (n * 2_654_435_761 * (at + 3)) >>> 11),
        ),
        traceparent: '',
      }));
      return jobs.filter((job) => isSampled(job, { followsCaller: true, ratio })).length;
    };
    expect([kept(0), kept(1)]).toEqual([0, 4_000]);
    expect(kept(0.25)).toBeGreaterThan(700);
    expect(kept(0.25)).toBeLessThan(1_300);
  });

  it('keeps with a larger share every trace that it keeps with a smaller one', () => {
    fc.assert(
      fc.property(
        jobId,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (id, a, b) => {
          const is = (ratio: number) => isSampled({ jobId: id, traceparent: '' }, { followsCaller: true, ratio });
          if (is(Math.min(a, b))) expect(is(Math.max(a, b))).toBe(true);
        },
      ),
    );
  });
});
