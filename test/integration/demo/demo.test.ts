/** The demo keeps its promises: the right table, the same under kills, and nothing left behind. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runsAll } from '../../support/run/cases.ts';
import { expectedRows, printedRows } from './expected-rows.ts';
import { type DemoRun, folderExists, processesOf, startDemo } from './run-demo.ts';

/** A run takes a few seconds; this is for busy machines. */
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
const runs: DemoRun[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-demo-test-'));
});

afterAll(async () => {
  for (const { child } of runs) child.kill('SIGTERM');
  await Promise.all(runs.map(({ ended }) => ended));
  rmSync(folder, { recursive: true, force: true });
});

function demo(args: readonly string[], env?: NodeJS.ProcessEnv): DemoRun {
  const run = startDemo(args, env);
  runs.push(run);
  return run;
}

/** Runs to the end, and returns the output if the run succeeded and left nothing behind. */
async function outputOf(args: readonly string[]): Promise<string> {
  const run = demo(args);
  const code = await run.ended;
  expect(code, run.output()).toBe(0);
  expectNothingLeft(run);
  return run.output();
}

function expectNothingLeft(run: DemoRun): void {
  expect(processesOf(run.output())).toEqual([]);
  expect(folderExists(run.output())).toBe(false);
}

function read(out: string, name: string): string {
  return readFileSync(join(folder, out, name), 'utf8');
}

it('the demo computes the table that the flights give', async () => {
  const plain = await outputOf(['--out', join(folder, 'plain')]);
  const table = read('plain', 'flight-delays.txt');
  expect(printedRows(table)).toEqual(expectedRows());
  expect(plain).toContain(table);
  expect(plain).toMatch(/^1,126 jobs in [\d.]+ s: [\d,]+ jobs\/s, [\d,]+ flights\/s$/m);
  expect(plain).toContain(join(folder, 'plain', 'flight-delays.svg'));
  // It shows the overall progress, and an estimate of the end.
  expect(plain).toMatch(/^ {2}parts counted {2}\d+ of 40 +the whole +\d+ % done, about [\d.]+ s left$/m);
  // The clean-up has removed the drafts.
  expect(readdirSync(join(folder, 'plain')).sort()).toEqual(['flight-delays.svg', 'flight-delays.txt']);
  expect(plain).toMatch(/^\$ npx muster-jobs graph \S+\nflight-delays@1 .* SUCCEEDED +6 steps: 6 SUCCEEDED\n/m);
  expect(plain).toMatch(/^count +SUCCEEDED +40\/40\n[\s\S]*^tidy \(finally\) +SUCCEEDED/m);
  // The last output is one job's trace.
  const [, trace = ''] = plain.split(/^\$ npx muster-jobs trace [0-9a-f-]{36}$/m);
  expect(trace).toMatch(/^\nTrace [0-9a-f]{32} .* SUCCEEDED\n[\s\S]*─ process +worker delay-(stats|report), session/);
});

it.runIf(runsAll)(
  'the demo produces the same files, byte for byte, when a worker and the control plane are killed',
  async () => {
    const killed = await outputOf(['--kill', '--out', join(folder, 'killed')]);
    expect(read('killed', 'flight-delays.txt')).toBe(read('plain', 'flight-delays.txt'));
    expect(read('killed', 'flight-delays.svg')).toBe(read('plain', 'flight-delays.svg'));
    const [, trace = ''] = killed.split('$ npx muster-jobs trace ');
    expect(trace).toMatch(
      /─ attempt 1 [^\n]*(LAPSED|RELEASED|ABORTED|SESSION_CLOSED)[\s\S]*─ attempt \d [^\n]*SUCCEEDED, after span/,
    );
    expect(killed).toMatch(/SIGKILL: the Python worker \(process \d+\), while it held [1-9]\d* attempts?/);
    expect(killed).toMatch(/SIGKILL: the control plane \(process \d+\), while live workers held [1-9]\d* attempts?/);
    expect(killed).toMatch(/ [1-9]\d* attempts? lost with it; all ran again, the last [\d.]+ s after the kill/);
  },
);

it.runIf(runsAll)('the demo skips the chart if its condition says so', async () => {
  const without = await outputOf(['--no-chart', '--out', join(folder, 'no-chart')]);
  expect(without).toMatch(/─ chart +SKIPPED +its condition is false\n/);
  expect(readdirSync(join(folder, 'no-chart'))).toEqual(['flight-delays.txt']);
  expect(read('no-chart', 'flight-delays.txt')).toBe(read('plain', 'flight-delays.txt'));
});

it('the demo draws the shares of the table', () => {
  const chart = read('plain', 'flight-delays.svg');
  const notes = [...chart.matchAll(/<text [^>]*>(\d+|–)<\/text>/g)].map(([, note]) => note);
  const share = (row: string) => String(Math.round(Number(row.split(' | ').at(-1))));
  const rows = printedRows(read('plain', 'flight-delays.txt'));
  // Hours 5 to 23 and 0 have enough flights, then the seven bands.
  for (const row of [...rows.slice(5, 24), rows[0] ?? '', ...rows.slice(24, 31)]) expect(notes).toContain(share(row));
  expect(chart.match(/<rect /g)?.length).toBe(1 + 20 + 24 + 7 + 7);
});

it.runIf(runsAll)('the demo leaves nothing behind when it is interrupted', async () => {
  const run = demo(['--out', join(folder, 'interrupted')]);
  await run.printed(/parts counted +\d+ of/);
  run.child.kill('SIGINT');
  expect(await run.ended, run.output()).toBe(130);
  expect(run.output()).toContain('stopped by SIGINT');
  expectNothingLeft(run);
});

it.runIf(runsAll)('the demo says what to do if the Python worker can not start', async () => {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'python'), '#!/bin/sh\necho "No module named muster" >&2\nexit 1\n', { mode: 0o755 });
  const run = demo(['--out', join(folder, 'no-python')], { ...process.env, PATH: `${bin}:${process.env.PATH}` });
  expect(await run.ended, run.output()).toBe(1);
  expect(run.output()).toContain('the worker delay-stats ended with code 1; its last output:\nNo module named muster');
  expect(run.output()).toContain('"npm run demo" sets up the Python that it needs');
  expectNothingLeft(run);
});

it('the demo prints its help, and refuses unknown options', async () => {
  const help = demo(['--help']);
  expect(await help.ended).toBe(0);
  expect(help.output()).toMatch(/--kill .*[\s\S]*--out <folder>[\s\S]*npm run demo -- --kill/);
  const wrong = demo(['--kil']);
  expect(await wrong.ended).toBe(1);
  expect(wrong.output()).toContain("unknown option '--kil'");
});
