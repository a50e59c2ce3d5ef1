/** The polyglot demo runs with the installed languages, names the missing ones, and leaves nothing behind. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { eventually } from '../../support/base/eventually.ts';
import { expectedReport, printedReport } from './expected-traffic.ts';
import { commandsWith, type DemoRun, processesOf, startDemo } from './run-demo.ts';

vi.setConfig({ testTimeout: 240_000 });

/** Every tool that the demo and the test of its end need. */
const TOOLS = ['sh', 'python', 'tr', 'sed', 'sort', 'uniq', 'head', 'awk', 'sleep', 'mkfifo', 'rm'];
/** A duration that no other process sleeps. */
const NAP = `sleep 9${process.pid}`;

let folder: string;
const runs: DemoRun[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-polyglot-test-'));
});

afterAll(async () => {
  for (const { child } of runs) child.kill('SIGTERM');
  await Promise.all(runs.map(({ ended }) => ended));
  rmSync(folder, { recursive: true, force: true });
});

/** A recent Go, whose build is this shell script. */
const goThatBuilds = (script: string) =>
  `[ "$1" != version ] || { echo 'go version go1.25.0 linux/amd64'; exit; }; ${script}`;

/** Runs on a machine with these languages alone, whose programs are shell scripts. */
function demo(name: string, programs: Readonly<Record<string, string>>, args: readonly string[] = []): DemoRun {
  const [bin, temporary] = [join(folder, name, 'bin'), join(folder, name, 'tmp')];
  for (const made of [bin, temporary]) mkdirSync(made, { recursive: true });
  const write = (tool: string, script: string) =>
    writeFileSync(join(bin, tool), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  for (const tool of TOOLS) write(tool, `exec '${pathOf(tool)}' "$@"`);
  for (const [program, script] of Object.entries(programs)) write(program, script);
  const env = { ...process.env, PATH: bin, TMPDIR: temporary };
  const run = startDemo(args, env, 'workers/demo-polyglot/demo.ts');
  runs.push(run);
  return run;
}

function pathOf(tool: string): string {
  return execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
}

/** Checks processes and files. */
function expectNothingLeft(name: string, run: DemoRun): void {
  expect(processesOf(run.output(), join(folder, name))).toEqual([]);
  expect(readdirSync(join(folder, name, 'tmp'))).toEqual([]);
}

it('the polyglot demo runs without languages that are missing, too old or fail to build, and says what to install', async () => {
  const run = demo('few', {
    go: goThatBuilds('echo "go: no space left" >&2; exit 1'),
    cargo: 'echo "cargo 1.75.0 (1d8b05cdd 2023-11-20)"',
  });
  expect(await run.ended, run.output()).toBe(0);
  expectNothingLeft('few', run);
  const output = run.output();
  expect(output).toContain(
    'Rust        left out: cargo says "cargo 1.75.0", which is too old; Rust needs Rust 1.89 or newer, https://rustup.rs\n',
  );
  expect(output).toContain(
    'Java        left out: there is no mvn on the PATH; Java needs a JDK of version 17 or newer, and Maven\n',
  );
  expect(output).toMatch(
    /Go +left out: it can't be built; it needs Go 1\.25 or newer, [^\n]*\n[\s\S]*go: no space left\n/,
  );
  const { balance, destinations } = expectedReport();
  expect(printedReport(output)).toEqual({ balance, destinations });
  expect(output).toMatch(/^balance +Python +polyglot-python +muster-python [\d.]+ +\d+ ms$/m);
  expect(output).toMatch(/^destinations +exec +polyglot-exec +muster-typescript [\d.]+ +\d+ ms$/m);
  expect(output).toMatch(/ distances +SKIPPED +its condition is false\n/);
  // The trace of each step is that of the whole run.
  const [, whole] = /^All of it is one trace, ([0-9a-f]{32});/m.exec(output) ?? [];
  const traces = [...output.matchAll(/^Trace ([0-9a-f]{32}) .*SUCCEEDED$/gm)].map(([, id]) => id);
  expect(traces).toEqual([whole, whole, whole, whole]);
});

it('the polyglot demo leaves nothing behind when it is interrupted during a build', async () => {
  const run = demo('interrupted', { go: goThatBuilds(`echo compiling; ${NAP}`) });
  await run.printed(/Go +building with go/);
  await eventually('it builds', () => commandsWith(NAP).length > 0);
  run.child.kill('SIGINT');
  expect(await run.ended, run.output()).toBe(130);
  expect(run.output()).toContain('stopped by SIGINT');
  expectNothingLeft('interrupted', run);
  expect(commandsWith(NAP)).toEqual([]);
});

it('the polyglot demo prints its help, and refuses unknown options', async () => {
  const help = demo('help', {}, ['--help']);
  expect(await help.ended).toBe(0);
  expect(help.output()).toMatch(/Go, Rust and Java[\s\S]*OTEL_EXPORTER_OTLP_ENDPOINT=\S+ npm run demo:polyglot/);
  const wrong = demo('wrong', {}, ['--fast']);
  expect(await wrong.ended).toBe(1);
  expect(wrong.output()).toContain("unknown option '--fast'");
});
