/**
 * A workflow with steps in five languages and by exec is one trace in a real Jaeger; with `CI=true` none may be
 * missing.
 */
import { AttemptOutcome, type Job } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { spanIdOf } from '../../../server/domain/events/trace.ts';
import { Deployment } from '../../../workers/demo/deployment.ts';
import { prepare } from '../../../workers/demo-polyglot/builds.ts';
import { LANGUAGES, type Language, workersOf } from '../../../workers/demo-polyglot/languages.ts';
import { applyDefinitions, executeWork, type Outcome, startWorkers } from '../../../workers/demo-polyglot/run.ts';
import { startTracing } from '../../../workers/demo-polyglot/typescript/tracing.ts';
import { eventually } from '../../support/base/eventually.ts';
import { describeWith, tracing } from '../../support/run/toolchains.ts';
import { type Jaeger, type JaegerSpan, startJaeger } from '../../support/telemetry/jaeger.ts';
import { expectedReport, isJourney, printedReport } from '../demo/expected-traffic.ts';

/** The first run also builds everything that Rust and Java need. */
const BUILD_MS = 1_800_000;
const WAIT_MS = 120_000;

/** The definition of each language, and the name that its OpenTelemetry SDK reports. */
const shown: Readonly<Record<string, { definition: string; sdk: string }>> = {
  typescript: { definition: 'read-routes', sdk: 'nodejs' },
  go: { definition: 'count-flights', sdk: 'go' },
  rust: { definition: 'measure-distances', sdk: 'rust' },
  java: { definition: 'find-connections', sdk: 'java' },
  python: { definition: 'weigh-directions', sdk: 'python' },
  exec: { definition: 'list-destinations', sdk: 'nodejs' },
};

let jaeger: Jaeger;
let deployment: Deployment;
let outcome: Outcome;
let jobs: Job[];
let spans: JaegerSpan[];

/** The expected spans as `parent > span`, sorted, from the jobs' own records. */
function expectedShape(): string[] {
  const [workflow, ...steps] = jobs;
  const shape = [
    ...['ask who flies where', 'ask who flies where > submit air-traffic', 'submit air-traffic > job air-traffic'],
    'job air-traffic > wait air-traffic', // a workflow is never assigned
  ];
  for (const { definition, attempts } of steps) {
    shape.push(`job ${workflow?.definition} > job ${definition}`);
    for (const { outcome } of attempts) {
      shape.push(`job ${definition} > wait ${definition}`, `job ${definition} > attempt ${definition}`);
      if (outcome === AttemptOutcome.SUCCEEDED) shape.push(`attempt ${definition} > process ${definition}`);
    }
  }
  return shape.sort();
}

function saysItsSpan({ id, worker }: Language): void {
  it('has the handler’s span under that of the attempt', () => {
    const { definition, sdk } = shown[id] ?? { definition: '', sdk: '' };
    const job = jobs.find((one) => one.definition === definition);
    const attempt = job?.attempts.at(-1)?.attempt ?? 0;
    const ofHandler = spans.filter(({ service, name }) => service === worker && name === `process ${definition}`);
    expect(ofHandler).toMatchObject([
      {
        parentSpanId: spanIdOf(job?.jobId ?? '', attempt, 'attempt'),
        resource: { 'telemetry.sdk.language': sdk },
        tags: { 'span.kind': 'consumer', 'messaging.message.id': job?.jobId, 'muster.attempt.number': attempt },
      },
    ]);
  });
}

describeWith(tracing, 'the trace of the polyglot demo', () => {
  beforeAll(async () => {
    jaeger = await startJaeger();
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', jaeger.endpoint);
    deployment = new Deployment(workersOf(LANGUAGES));
    const stopTracing = startTracing('polyglot-demo');
    const languages = await prepare(deployment, LANGUAGES);
    await deployment.startControlPlane();
    await startWorkers(deployment, languages);
    await applyDefinitions(deployment);
    outcome = await executeWork(deployment, languages);
    const ids = outcome.ran.map(({ jobId }) => jobId);
    jobs = await Promise.all([outcome.jobId, ...ids].map((jobId) => deployment.client.get(jobId)));
    // Both send their remaining spans when they end.
    await Promise.all([deployment.stopWorkers(), stopTracing()]);
    spans = await eventually(
      'every span of the trace',
      async () => {
        const found = await jaeger.trace(outcome.traceId);
        return found.length >= expectedShape().length ? found : undefined;
      },
      { timeoutMs: WAIT_MS, everyMs: 100 },
    );
  }, BUILD_MS);

  afterAll(async () => {
    vi.unstubAllEnvs();
    await deployment?.stop();
    await jaeger?.stop();
  }, WAIT_MS);

  it('is one trace, in which every span has its place', () => {
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    expect(byId.size, 'each span once').toBe(spans.length);
    const shape = spans.map(({ name, parentSpanId }) => {
      if (parentSpanId === undefined) return name;
      return `${byId.get(parentSpanId)?.name ?? 'NOBODY'} > ${name}`;
    });
    expect(shape.sort()).toEqual(expectedShape());
    const services = new Set(outcome.ran.map(({ worker }) => worker));
    expect(new Set(spans.map(({ service }) => service))).toEqual(new Set(['polyglot-demo', 'muster', ...services]));
  });

  it('links each step to those that it needs', () => {
    const stepJobs = new Map(outcome.ran.map(({ step, jobId }) => [step, jobId]));
    const linksOf = (step: string) => {
      const spanId = spanIdOf(stepJobs.get(step) ?? '', 0, 'job');
      return spans
        .find((span) => span.spanId === spanId)
        ?.links.map((link) => link.spanId)
        .sort();
    };
    const spanOf = (jobId: string) => spanIdOf(jobId, 0, 'job');
    const between = [...stepJobs.keys()].filter((step) => step !== 'routes' && step !== 'report');
    expect(between.length).toBeGreaterThanOrEqual(2);
    expect(linksOf('routes')).toEqual([]);
    for (const step of between) expect(linksOf(step)).toEqual([spanOf(stepJobs.get('routes') ?? '')]);
    expect(linksOf('report')).toEqual(between.map((step) => spanOf(stepJobs.get(step) ?? '')).sort());
  });

  it('has the right results from the data, in every language', () => {
    const expected = expectedReport();
    const printed = printedReport(outcome.report);
    expect(Object.keys(printed).sort()).toEqual(
      outcome.ran
        .map(({ step }) => step)
        .filter((step) => step in expected)
        .sort(),
    );
    for (const [step, words] of Object.entries(printed)) {
      const [, most = ''] = step === 'connections' ? words.split(expected.connections ?? '') : [];
      expect(words).toBe(`${expected[step]}${most}`);
      if (most) expect(isJourney(most, 5), `${most} is a journey of five flights`).toBe(true);
    }
  });

  for (const language of LANGUAGES) {
    const name = `a step by ${language.name}`;
    if (language.toolchain) describeWith(language.toolchain, name, () => saysItsSpan(language));
    else describe(name, () => saysItsSpan(language));
  }
});
