/** Builds the workers whose languages need it, side by side, and says how far that is. */
import type { Deployment } from '../demo/deployment.ts';
import { say } from '../demo/print.ts';
import type { Language } from './languages.ts';
import { lackOf } from './toolchains.ts';

/** Between two lines about a build that goes on. */
const REPORT_MS = 15_000;
/** Of what a build that failed has said. */
const LAST_LINES = 5;
const NAME_WIDTH = 12;

/** Resolves with the languages that can be used, in their order. Of each other one it says why not, and what to install. */
export async function prepare(deployment: Deployment, languages: readonly Language[]): Promise<Language[]> {
  const lacks = await Promise.all(languages.map((language) => lackAfterBuild(deployment, language)));
  for (const [i, { name }] of languages.entries()) {
    if (lacks[i] !== undefined) report(name, `left out: ${lacks[i]}`);
  }
  return languages.filter((_, i) => lacks[i] === undefined);
}

/** Undefined: its worker is built. */
async function lackAfterBuild(deployment: Deployment, language: Language): Promise<string | undefined> {
  const { toolchain, build } = language;
  const lack = toolchain && lackOf(toolchain);
  if (lack !== undefined || build === undefined) return lack;
  try {
    await buildWorker(deployment, language, build);
    return undefined;
  } catch (error) {
    deployment.signal.throwIfAborted();
    const words = (error as Error).message.split('\n').slice(-LAST_LINES);
    return [`it can't be built; it needs ${toolchain?.needed}. The last that was said:`, ...words].join('\n    ');
  }
}

async function buildWorker(
  deployment: Deployment,
  { name }: Language,
  build: NonNullable<Language['build']>,
): Promise<void> {
  const startTime = performance.now();
  const seconds = () => Math.round((performance.now() - startTime) / 1_000);
  let newest = '';
  report(name, `building with ${build.command}; the first time that may take minutes`);
  const timer = setInterval(() => report(name, `still at it after ${seconds()} s: ${newest}`), REPORT_MS);
  try {
    await deployment.execute(`build of the ${name} worker`, build, (output) => {
      newest = output.trimEnd().replace(/.*\n/gs, '').trim();
    });
    report(name, `built in ${seconds()} s`);
  } finally {
    clearInterval(timer);
  }
}

function report(name: string, words: string): void {
  say(`  ${name.padEnd(NAME_WIDTH)}${words}`);
}
