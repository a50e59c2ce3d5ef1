/** Runs the tests that `plan.ts` chooses: vitest's, and at the same time those of the SDK for Python. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runForwarding } from '../../../.ci/setup/command.mjs';
import { PYTHON, rules } from './circles.ts';
import { compileCache } from './compile-cache.ts';
import { updateDurations } from './durations.ts';
import { type Plan, planOf, pytestArgs, usage, vitestArgs } from './plan.ts';
import { SHARES } from './shares.ts';

const root = new URL('../../../', import.meta.url).pathname.replace(/\/$/, '');
const results = join(root, 'test-results');
/** A folder for JUnit files: that of CI. */
const { MUSTER_REPORTS: reports } = process.env;

/** Of the model of dispatch that the Python suite runs in the core; 60 in all. */
const CORE_MODEL_SEEDS = '20';

function commandsOf(plan: Plan): readonly (readonly string[])[] {
  const junit = reports ? [`MUSTER_JUNIT=${join(reports, 'vitest.xml')}`] : [];
  const vitest = ['env', ...junit, 'vitest', 'run', ...vitestArgs(plan)];
  const report = reports ? [`--junit-xml=${join(reports, 'pytest.xml')}`] : [];
  const pytest = ['python', '-m', 'pytest', '--quiet', '-p', 'no:cacheprovider', ...report, ...pytestArgs(plan)];
  return [
    ...(vitestArgs(plan).length > 0 ? [vitest] : []),
    ...(pytestArgs(plan).length > 0 ? [pytest] : []), // the last one: keepDurations
  ];
}

async function timed(command: readonly string[]): Promise<{ readonly isGreen: boolean; readonly seconds: number }> {
  const began = performance.now();
  const { code } = await runForwarding(command);
  return { isGreen: code === 0, seconds: (performance.now() - began) / 1_000 };
}

/** What the core leaves out, and how to run it. */
function leftOutLines(): readonly string[] {
  const whys = [...new Set(rules.filter(({ circle }) => circle === 'share').map(({ why }) => why))];
  return [
    `not in the core: ${whys.join(', ')}, and further cases of its files`,
    `run them with npm run test:share -- N (1 to ${SHARES}), or all with npm run test:all; what you changed: npm test -- --changed`,
  ];
}

const say = (lines: readonly string[]) => {
  for (const line of lines) console.error(line);
};

async function run(plan: Plan): Promise<void> {
  say(plan.says);
  const commands = commandsOf(plan);
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results);
  process.env.NODE_COMPILE_CACHE = compileCache(root);
  process.env.MUSTER_TESTS = plan.isCore ? 'core' : 'all';
  process.env.MUSTER_TEST_COMMAND = plan.command;
  if (plan.isCore) process.env.MUSTER_MODEL_SEEDS ??= CORE_MODEL_SEEDS;
  const ended = await Promise.all(commands.map(timed));
  for (const name of ['slowest.txt', 'left-out.txt']) {
    if (existsSync(join(results, name))) process.stderr.write(readFileSync(join(results, name), 'utf8'));
  }
  if (plan.isCore) say(leftOutLines());
  const isGreen = ended.every((one) => one.isGreen);
  if (!isGreen) process.exitCode = 1;
  if (!isGreen && plan.files !== undefined) say([`failed; for the same tests again: ${plan.command}`]);
  if (isGreen && plan.measures && process.env.CI !== 'true') keepDurations(plan, ended.at(-1)?.seconds ?? 0);
}

/** The Python suite is the last command. */
function keepDurations(plan: Plan, pythonSeconds: number): void {
  const measured = JSON.parse(readFileSync(join(results, 'durations.json'), 'utf8'));
  if (pytestArgs(plan).length > 0) measured[PYTHON] = pythonSeconds;
  if (updateDurations(root, measured)) say(['test/support/run/durations.json has new durations: commit it']);
}

const args = process.argv.slice(2);
if (args.includes('--help')) console.log(usage);
else {
  try {
    await run(planOf(root, args));
  } catch (error) {
    say([(error as Error).message]);
    process.exitCode = 1;
  }
}
