/** docs/conformance.md lists every case with its current text, and each case names a rule of the worker protocol. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { groups } from '../../../server/tools/conformance/cases/all.ts';
import { features } from '../../../server/tools/conformance/features.ts';
import { allCases } from '../../../server/tools/conformance/select.ts';
import { bugs } from '../../conformance/planted/bugs.ts';
import { anchorsOf } from '../../support/docs/markdown.ts';

const docs = new URL('../../../docs/', import.meta.url);
const guide = readFileSync(new URL('conformance.md', docs), 'utf8');
const protocol = readFileSync(new URL('worker-protocol.md', docs), 'utf8');
const script = readFileSync(new URL('../workers/conformance-typescript/script.ts', docs), 'utf8');

const anchorOf = (rule: string) =>
  rule
    .toLowerCase()
    .replaceAll(/[^a-z0-9 ]/g, '')
    .replaceAll(' ', '-');

function tableOf({ title, cases }: (typeof groups)[number]): string {
  const rows = cases.map(
    ({ name, proves, rule }) => `| \`${name}\` | ${proves} | [${rule}](worker-protocol.md#${anchorOf(rule)}) |`,
  );
  return [`### ${title}`, '', '| case | what a worker does that passes | rule |', '|---|---|---|', ...rows].join('\n');
}

describe('the conformance cases', () => {
  it('have unique names, and say what they prove', () => {
    const names = allCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, proves } of allCases) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(proves).toMatch(/^[A-Z].*\.$/);
    }
  });

  it.each(groups.map((group) => [group.title, group] as const))(
    '%s: the guide lists them unchanged',
    (_title, group) => {
      expect(guide).toContain(tableOf(group));
    },
  );

  it('name rules of the protocol', () => {
    const anchors = anchorsOf(protocol);
    expect(allCases.map(({ rule }) => anchorOf(rule)).filter((anchor) => !anchors.has(anchor))).toEqual([]);
  });

  it('need only features that the guide names, and every such feature', () => {
    expect(new Set(allCases.flatMap(({ needs }) => needs ?? []))).toEqual(new Set(features));
    const [, table = ''] = /^\| `--without` \|.*\n([\s\S]*?)\n\n/m.exec(guide) ?? [];
    expect([...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)).toEqual([...features]);
  });

  it('fail for as many planted bugs as the guide says', () => {
    expect(guide).toContain(`[${bugs.length} faults](`);
  });

  it('use handler steps that the guide explains and the worker knows', () => {
    const explained = [...guide.matchAll(/^\| `\{"do":"(\w+)"/gm)].map(([, step = '']) => step);
    expect(explained.length).toBeGreaterThan(15);
    expect(explained.filter((step) => !script.includes(`'${step}'`))).toEqual([]);
  });
});
