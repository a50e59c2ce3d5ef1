// Prints the ledger of this checkout: every check that there is, whether this machine can run it or not.
//
//   npm run --silent ledger               prints them
//   npm run --silent ledger -- --compare  lists those of ledger.txt that are gone: neither here nor in moved.json, files.json and titles.txt
//
// Kinds: vitest and pytest (titles that the runners list), go, rust and java (test functions in the source), case (of
// muster conformance), mutant (bugs planted in the simulation), planted (bugs planted in the workers), seed (of the
// simulation), noticed (the seed at which a mutant was noticed last).

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root } from '../setup/paths.mjs';
import { goneFrom, lines, titlesOf } from './entries.mjs';

const ledger = new URL('./ledger.txt', import.meta.url);
const moved = new URL('./moved.json', import.meta.url);
const files = new URL('./files.json', import.meta.url);
const titles = new URL('./titles.txt', import.meta.url);

const output = (program, args) => execFileSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
const tracked = (...patterns) =>
  output('git', ['ls-files', ...patterns])
    .trim()
    .split('\n')
    .filter(Boolean);

function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'muster-ledger-'));
  try {
    const file = join(folder, 'tests.json');
    execFileSync('vitest', ['list', `--json=${file}`], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    const found = JSON.parse(readFileSync(file, 'utf8'));
    return found.map(({ file: path, name }) => ({ kind: 'vitest', file: relative(root, path), title: name }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function pytest() {
  const args = ['-m', 'pytest', '--collect-only', '--quiet', '-p', 'no:cacheprovider', 'sdk/python/tests'];
  const found = output('python', args)
    .split('\n')
    .filter((line) => line.includes('::'));
  return found.map((line) => {
    const [file, ...title] = line.split('::');
    return { kind: 'pytest', file: `sdk/python/${file}`, title: title.join('::') };
  });
}

/** Test functions of a language, found in its source. */
function functions(kind, patterns, expression) {
  return tracked(...patterns).flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(expression)].map(([, title]) => ({ kind, file, title })),
  );
}

async function product() {
  const load = (path) => import(new URL(`../../${path}`, import.meta.url));
  const { allCases } = await load('server/tools/conformance/select.ts');
  const { mutants } = await load('test/simulation/mutants/mutants.ts');
  const { ALL_SEEDS } = await load('test/simulation/scenario/run-seeds.ts');
  const noticed = JSON.parse(readFileSync(join(root, 'test/simulation/mutants/noticed-at.json'), 'utf8'));
  const planted = { bugs: 'bugs', go: 'goBugs', java: 'javaBugs', python: 'pythonBugs', rust: 'rustBugs' };
  const found = [
    ...allCases.map(({ name, proves }) => ({ kind: 'case', file: '-', title: `${name}: ${proves}` })),
    ...Object.entries(mutants).map(([name, { about }]) => ({ kind: 'mutant', file: '-', title: `${name}: ${about}` })),
    ...Object.entries(noticed).map(([name, seed]) => ({ kind: 'noticed', file: '-', title: `${name} at ${seed}` })),
    ...Array.from({ length: ALL_SEEDS }, (_, i) => ({
      kind: 'seed',
      file: '-',
      title: String(i + 1).padStart(3, '0'),
    })),
  ];
  for (const [file, name] of Object.entries(planted)) {
    const bugs = (await load(`test/conformance/planted/${file}.ts`))[name];
    found.push(...bugs.map((bug) => ({ kind: 'planted', file, title: `${bug.name}: fails ${bug.fails}` })));
  }
  return found;
}

const all = [
  ...vitest(),
  ...pytest(),
  ...functions('go', ['sdk/go/*_test.go', 'workers/*_test.go'], /^func (Test\w+|Example\w*|Fuzz\w+)\(/gm),
  ...functions(
    'rust',
    ['sdk/rust/*.rs', 'workers/*.rs'],
    /#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)/g,
  ),
  ...functions(
    'java',
    ['sdk/java/*.java', 'workers/*.java'],
    /@(?:Test|ParameterizedTest|RepeatedTest)\b[\s\S]*?\bvoid (\w+)\(/g,
  ),
  ...(await product()),
];
const now = lines(all);
if (process.argv.includes('--compare')) {
  const newTitles = titlesOf(readFileSync(titles, 'utf8'));
  const [rules, newFiles] = [moved, files].map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const gone = goneFrom(readFileSync(ledger, 'utf8'), now, rules, newFiles, newTitles);
  for (const fault of gone) console.log(fault);
  process.exitCode = Math.min(1, gone.length);
} else process.stdout.write(`${now.join('\n')}\n`);
