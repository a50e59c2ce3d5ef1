/** Runs the examples of a guide, its `console` blocks, exactly as written in one shell, and compares their output. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cliEnvironment, musterBinary } from './cli.ts';
import { runInGroup } from './shell-group.ts';

interface Example {
  readonly command: string;
  readonly prints: string;
}

export interface Difference extends Example {
  readonly printed: string;
}

const END = '=====';

/** A command begins with "$ ", its further lines with "> "; its output follows. */
function examplesOf(block: string): Example[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((one) => {
      const lines = one.trimEnd().split('\n');
      const further = lines.slice(1).findIndex((line) => !line.startsWith('> '));
      const end = further < 0 ? lines.length : further + 1;
      const command = [lines[0], ...lines.slice(1, end).map((line) => line.slice(2))].join('\n');
      return { command, prints: lines.slice(end).join('\n') };
    });
}

/** A substitute for machines without jq, with the features that the guides use. */
const JQ = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const [raw, filter] = process.argv.slice(2);
if (raw !== '-r') throw new Error('the stand-in for jq takes -r first');
const read = (value, path) => {
  if (!/^(\\.\\w+)+$/.test(path)) throw new Error('the stand-in for jq knows no ' + path);
  return path.slice(1).split('.').reduce((part, name) => part?.[name], value);
};
const stage = (values, text) => {
  const selected = /^select\\((.*)\\)$/.exec(text)?.[1];
  if (selected !== undefined) return values.filter((value) => read(value, selected) !== undefined);
  return values.flatMap((value) => text.split(/, */).map((path) => read(value, path)));
};
const text = readFileSync(0, 'utf8').trim();
let inputs;
try { inputs = [JSON.parse(text)]; } catch { inputs = text.split('\\n').map((line) => JSON.parse(line)); }
for (const value of filter.split(/ *\\| */).reduce(stage, inputs)) console.log(value);
`;

/** Lines of the guide as a pattern: `…` matches anything within a line, and as a separate line any number of lines. */
function pattern(prints: string): RegExp {
  const lines = prints.split('\n').map((line) => {
    if (line === '…') return '(?:.*\\n)+?';
    const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return `${parts.join('.*')}\\n`;
  });
  return new RegExp(`^${prints === '' ? '' : lines.join('')}$`);
}

/** The output of each command. They share one shell for their variables. Their background processes end with it. */
async function printedBy(
  examples: readonly Example[],
  server: string,
  { cwd, variables }: GuideSettings,
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-guide-'));
  try {
    const muster = `#!/bin/sh\nexec '${process.execPath}' '${musterBinary}' "$@"\n`;
    await writeFile(join(folder, 'muster'), muster, { mode: 0o755 });
    if (spawnSync('jq', ['--version']).status !== 0) await writeFile(join(folder, 'jq'), JQ, { mode: 0o755 });
    const env = cliEnvironment({ MUSTER_SERVER: server, MUSTER_CONFIG: join(folder, 'config') });
    const script = examples.map(({ command }) => `${command}\necho '${END}'\n`).join('');
    const PATH = [folder, env.PATH].join(delimiter);
    const options = { cwd: cwd ?? folder, env: { ...env, ...variables, PATH }, timeoutMs: 600_000 };
    // Stderr is part of the output that a reader sees.
    const printed = await runInGroup(`exec 2>&1\n${script}`, options);
    return printed.split(`${END}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface GuideSettings {
  /** Working folder. Default: an empty folder. */
  readonly cwd?: string | undefined;
  /** Variables that the guide assumes, such as JOB. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Selects blocks to run. Default: all. */
  readonly isRun?: (block: string) => boolean;
}

/** The number of examples in the guide, and those with a different output. */
export async function runConsoleGuide(
  guide: string,
  server: string,
  settings: GuideSettings = {},
): Promise<{ readonly count: number; readonly differences: readonly Difference[] }> {
  const text = readFileSync(new URL(`../../../docs/${guide}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  const examples = blocks.filter(settings.isRun ?? (() => true)).flatMap(examplesOf);
  const outputs = await printedBy(examples, server, settings);
  const differences = examples
    .map(({ command, prints }, at) => ({ command, prints, printed: outputs[at] ?? '' }))
    .filter(({ prints, printed }) => !pattern(prints).test(printed));
  return { count: examples.length, differences };
}
