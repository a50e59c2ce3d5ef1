/** The figures of the README are those of the benchmarks' results. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const readme = read('README.md');
const { measures } = JSON.parse(read('docs/benchmarks.json'));

const value = (measure: string, peer: string, column: string): number => measures[measure].peers[peer].values[column];
const times = (peer: string) => value('whole-life', 'Muster', 'by500') / value('whole-life', peer, 'by500');

it.each([
  ['latency', `${value('idle-latency', 'BullMQ', 'p50').toFixed(1)} ms to the start of a job, Muster`],
  ['latency of Muster', `Muster ${value('idle-latency', 'Muster', 'p50').toFixed(1)} ms`],
  ['throughput beside BullMQ', `${times('BullMQ').toFixed(1)} times the throughput in batches`],
  ['throughput beside Celery', `${Math.floor(times('Celery'))} times the throughput`],
])('the README has the measured %s', (_, words) => {
  expect(readme).toContain(words);
});

it('the README is short', () => {
  expect(readme.split('\n').length).toBeLessThan(112);
});
