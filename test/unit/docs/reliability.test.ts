/** The table of docs/reliability.md is that of the journal next to it. `UPDATE=1` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { reportOf } from '../../chaos/campaign/report.ts';
import type { SegmentResult } from '../../chaos/campaign/segment.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = new URL('reliability.md', docs);
const BEGIN = '<!-- the journal as a table -->\n\n';

it('docs/reliability.md shows the table of its journal', () => {
  const lines = readFileSync(new URL('reliability.jsonl', docs), 'utf8').trim().split('\n');
  const results: SegmentResult[] = lines.map((line) => JSON.parse(line));
  const text = readFileSync(page, 'utf8');
  const table = tableOf(reportOf(results));
  const head = text.slice(0, text.indexOf(BEGIN) + BEGIN.length);
  if (process.env.UPDATE === '1') writeFileSync(page, `${head}${table}\n`);
  expect(readFileSync(page, 'utf8')).toBe(`${head}${table}\n`);
});

/** Without the violations, which the page explains. */
function tableOf(report: string): string {
  const lines = report.split('\n');
  return lines.slice(0, lines.findIndex((line) => /^\d+ segments in/.test(line)) + 1).join('\n');
}
