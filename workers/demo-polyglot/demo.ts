/** The polyglot demo: one workflow with a step in each language, and one trace that covers all of them. */
import { Command } from 'commander';
import { shown } from '../demo/command.ts';
import { conduct } from '../demo/conduct.ts';
import { Deployment, type Session } from '../demo/deployment.ts';
import { indented, say } from '../demo/print.ts';
import { prepare } from './builds.ts';
import { LANGUAGES, type Language, workersOf } from './languages.ts';
import { applyDefinitions, executeWork, type Outcome, startWorkers } from './run.ts';
import { startTracing } from './typescript/tracing.ts';

const HELP = `
What happens:
  1. The workers in Go, Rust and Java are built, with the SDKs of this checkout. The first build takes minutes, because
     all dependencies are built too; later ones take seconds. A language that the machine lacks is left out and named.
  2. An embedded control plane starts as a separate process, on free ports and with a temporary data folder, and a
     worker for each language: TypeScript, Go, Rust, Java, Python, and "muster worker exec" with sed, sort and uniq.
  3. "muster apply" applies the workflow of air-traffic.yaml, and one job of it is submitted. A step reads the flights
     in the United States in 2008, each language analyzes them, and a step joins the results.
  4. "muster graph" shows the states of the steps, and "muster trace" the job of each step: all are in one trace.
  5. Everything is stopped and the temporary folder removed; the builds stay for the next run.

To see the trace in Jaeger, or in any other backend that accepts OTLP over HTTP:
  jaeger &
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 npm run demo:polyglot

The code is in workers/demo-polyglot; docs/demo-polyglot.md explains it.`;

const WIDTHS = [14, 12, 21, 25, 8] as const;

async function run(deployment: Deployment): Promise<void> {
  say('Who flies where? One workflow, a step in each language.\n');
  const languages = await prepare(deployment, LANGUAGES);
  say('\n  starting an embedded control plane and the workers …');
  await deployment.startControlPlane();
  say(`  control plane  ${deployment.address}, data in ${deployment.dataFolder} until the end`);
  const sessions = await startWorkers(deployment, languages);
  say(indented(await applyDefinitions(deployment)));
  const outcome = await executeWork(deployment, languages);
  say(outcome.report);
  say(placesOf(outcome, languages, sessions));
  say(await shown(deployment, 'graph', outcome.jobId));
  for (const { jobId } of outcome.ran) say(await shown(deployment, 'trace', jobId));
  say(traceText(outcome));
}

/** One line per step: step, language, worker, SDK, duration. */
function placesOf({ ran }: Outcome, languages: readonly Language[], sessions: readonly Session[]): string {
  const rows = ran.map(({ step, worker, tookMs }) => {
    const language = languages.find((one) => one.worker === worker);
    const sdk = sessions.find(({ name }) => name === worker)?.sdk;
    return [step, language?.name ?? '', worker, `${sdk?.name} ${sdk?.version}`, `${Math.round(tookMs)} ms`];
  });
  return [['step', 'language', 'worker', 'SDK', 'took'], ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
          .join('')
          .trimEnd()}\n`,
    )
    .join('');
}

function traceText({ traceId }: Outcome): string {
  const endpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (!endpoint)
    return `All of it is one trace, ${traceId}; npm run demo:polyglot -- --help says how to see it in Jaeger`;
  return `All of it is one trace, ${traceId}; its spans were sent to ${endpoint}`;
}

async function main(): Promise<void> {
  const deployment = new Deployment(workersOf(LANGUAGES));
  const stopTracing = startTracing('polyglot-demo');
  await conduct(deployment, () => run(deployment));
  await stopTracing();
}

await new Command('demo:polyglot')
  .usage('')
  .description(
    'Runs a workflow with a step in each of TypeScript, Go, Rust, Java and Python, and one by exec: in one trace.',
  )
  .addHelpText('after', HELP)
  .showHelpAfterError('Try: npm run demo:polyglot -- --help')
  .allowExcessArguments(false)
  .action(main)
  .parseAsync();
