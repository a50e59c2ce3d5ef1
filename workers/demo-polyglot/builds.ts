/** Builds the workers that need it, in parallel, and reports the progress. */
import type { Deployment } from '../demo/deployment.ts';
import { say } from '../demo/print.ts';
import type { Language } from './languages.ts';
import { lackOf } from './toolchains.ts';

/** Interval between two progress lines of a build. */
const REPORT_MS = 15_000;
/** Lines of a failed build's output that are shown. */
const LAST_LINES = 5;
const NAME_WIDTH = 12;

/** Resolves with the usable languages, in their order. For each other one, prints the reason and what to install. */
export async function prepare(deployment: Deployment, languages: readonly Language[]): Promise<Language[]> {
  const lacks = await Promise.all(languages.map((language) => lackAfterBuild(deployment, language)));
  for (const [i, { name }] of languages.entries()) {
    if (lacks[i] !== undefined) report(name, `left out: ${lacks[i]}`);
  }
  return languages.filter((_, i) => lacks[i] === undefined);
}

/** Resolves with the reason why the language can't be used; `undefined`: its worker is built. */
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
    return [`it can't be built; it needs ${toolchain?.needed}. The last output:`, ...words].join('\n    ');
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
  const timer = setInterval(() => report(name, `still building after ${seconds()} s: ${newest}`), REPORT_MS);
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
