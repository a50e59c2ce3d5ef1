/** The tables and the chart of the benchmark against peers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chart } from '../bench/peers/report/chart.ts';
import { ratio, table } from '../bench/peers/report/table.ts';
import { type MeasureResult, writeResult } from '../bench/peers/results.ts';

const result: MeasureResult = {
  title: 'Speed & cost',
  columns: {
    rate: { title: 'rate', unit: 'jobs/s', better: 'higher' },
    wait: { title: 'wait', unit: 'ms', better: 'lower' },
    sample: { title: 'of', unit: 'jobs' },
  },
  peers: {
    Muster: { values: { rate: 30_000, wait: 2, sample: 100 }, rounds: [] },
    'A < B': { values: { rate: 10_000, wait: 1, sample: 100 }, rounds: [] },
    Slow: { values: { rate: 100, wait: Number.NaN, sample: 100 }, rounds: [] },
    Absent: { notRun: 'there is no redis-server' },
  },
  time: '2026-11-26T00:00:00Z',
  commit: 'abc',
};

describe('the report of the benchmark against peers', () => {
  it('says how many times better Muster is, whether more or less is better', () => {
    expect(ratio({ title: '', unit: 'jobs/s', better: 'higher' }, 30, 10)).toBe(3);
    expect(ratio({ title: '', unit: 'ms', better: 'lower' }, 2, 1)).toBe(0.5);
    expect(ratio({ title: '', unit: 'jobs' }, 2, 1)).toBeUndefined();
  });

  it('shows each peer, and why one was not run', () => {
    expect(table(result).trimEnd().split('\n').slice(2)).toEqual([
      '| | rate | wait | of |',
      '|---|---|---|---|',
      '| Muster | 30,000 jobs/s | 2 ms | 100 jobs |',
      '| A < B | 10,000 jobs/s (3.00) | 1 ms (0.50) | 100 jobs |',
      '| Slow | 100 jobs/s (300.00) | not reached | 100 jobs |',
      '| Absent | not run: there is no redis-server |  |  |',
    ]);
  });

  it("adds a measure to a file, and keeps the file's other measures", () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-results-'));
    try {
      const file = join(folder, 'results.json');
      for (const name of ['speed', 'cost', 'speed']) writeResult(file, name, result, ['Redis 7']);
      expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')).measures)).toEqual(['speed', 'cost']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('draws a bar for each peer that ran, with the length of its first value', () => {
    const svg = chart({ measures: { speed: { ...result, machine: '', stores: [] } } });
    expect(
      [...svg.matchAll(/<rect class="(\w+)".* width="([\d.]+)"/g)].map(([, kind, width]) => [kind, width]),
    ).toEqual([
      ['ours', '460.0'],
      ['theirs', '153.3'],
      ['theirs', '1.5'],
    ]);
    expect(svg).toContain('A &lt; B');
    expect(svg).toContain('Speed &amp; cost');
    expect(svg).not.toContain('Absent');
  });
});
