/** Lines of a stream: the same for any split into chunks, and never longer than allowed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../workers/exec/lines.ts';

function linesOf(chunks: readonly Buffer[], maxBytes: number, tooLong: 'split' | 'drop') {
  const lines: (string | undefined)[] = [];
  const splitter = new LineSplitter({ maxBytes, tooLong, onLine: (line) => lines.push(line) });
  for (const chunk of chunks) splitter.push(chunk);
  splitter.finish();
  return lines;
}

const whole = (text: string) => [Buffer.from(text)];

describe('lines', () => {
  it('end with a newline, with a carriage return before it, or with the stream', () => {
    expect(linesOf(whole('a\r\n\nb'), 10, 'split')).toEqual(['a', '', 'b']);
    expect(linesOf(whole('a\n'), 10, 'split')).toEqual(['a']);
    expect(linesOf([], 10, 'split')).toEqual([]);
  });

  it('that are too long are split between characters, or dropped as a whole', () => {
    expect(linesOf(whole('abcdefg\nh'), 3, 'split')).toEqual(['abc', 'def', 'g', 'h']);
    expect(linesOf(whole('aéé\n'), 4, 'split')).toEqual(['aé', 'é']);
    expect(linesOf(whole('abcdefg\nhij\nk'), 3, 'drop')).toEqual([undefined, 'hij', 'k']);
    expect(linesOf(whole('abcdefg'), 3, 'drop')).toEqual([undefined]);
  });

  it('are the same for any split into chunks', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '\n', 'longer', ' '), { maxLength: 40 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(20)),
        fc.constantFrom('split' as const, 'drop' as const),
        (all, cuts, tooLong) => {
          const bytes = Buffer.from(all);
          const chunks: Buffer[] = [];
          let from = 0;
          for (const size of cuts) {
            chunks.push(bytes.subarray(from, from + size));
            from += size;
          }
          chunks.push(bytes.subarray(from));
          expect(linesOf(chunks, 5, tooLong)).toEqual(linesOf([bytes], 5, tooLong));
        },
      ),
    );
  });

  it('are never longer than allowed, and lose nothing when they are split', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 4, max: 9 }), (all, maxBytes) => {
        const text = all.toWellFormed().replaceAll(/[\r\n]/g, '');
        const lines = linesOf(whole(text), maxBytes, 'split');
        for (const line of lines) expect(Buffer.byteLength(line ?? '')).toBeLessThanOrEqual(maxBytes);
        expect(lines.join('')).toBe(text);
      }),
    );
  });
});
