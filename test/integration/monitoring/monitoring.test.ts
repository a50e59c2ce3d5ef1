/** The files in docs/monitoring work on a real Prometheus that scrapes a busy replica. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../../support/base/eventually.ts';
import { Prometheus, promtool } from '../../support/telemetry/prometheus.ts';
import { outcomes } from '../api/base/test-worker.ts';
import { World } from '../api/base/world.ts';
import { alertCases, MINUTES } from './alert-cases.ts';

const folder = new URL('../../../docs/monitoring/', import.meta.url);
const pathOf = (name: string) => fileURLToPath(new URL(name, folder));
const textOf = (name: string) => readFileSync(pathOf(name), 'utf8');

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const dashboard: Dashboard = JSON.parse(textOf('grafana-dashboard.json'));
const rules: Rule[] = parse(textOf('muster-alerts.yml')).groups.flatMap((group: { rules: Rule[] }) => group.rules);
/** Values for Grafana's variables. */
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }, i) => [
    `${title} ${i + 1}`,
    expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(namespace|queue|job)\b/g, '.*'),
  ]),
) as [string, string][];

const POLLING = { timeoutMs: 90_000, everyMs: 500 };

let scratch: string;
let world: World;
let prometheus: Prometheus;
let client: Client;
let worker: Worker;
let running: Promise<void>;
let loading = true;
let load: Promise<void>;

/** Submits jobs that succeed and fail while the tests run. */
async function keepLoading(): Promise<void> {
  while (loading) {
    const definition = Math.random() < 0.3 ? 'fails' : 'works';
    await client.wait(await client.submit(definition, {}, { queue: 'watched' })).catch(() => {});
    await client.get('0198c0de-0000-7000-8000-000000000001').catch(() => {}); // a call that fails
  }
}

async function refuseOne(): Promise<void> {
  const { worker: refusing, attempt } = await world.hold();
  await refusing.report({ of: attempt, outcome: outcomes.released(1) });
  await refusing.close();
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'muster-monitoring-'));
  world = await World.start();
  client = new Client({ address: world.replica.grpcAddress });
  for (const name of ['works', 'fails'])
    await client.applyDefinition({ name, retryPolicy: { maxAttempts: 1 }, maxConcurrency: 10 });
  const handlers = {
    works: () => 'done',
    fails: () => {
      throw new Error('as it is meant to');
    },
  };
  worker = new Worker({ address: world.replica.grpcAddress, name: 'watched', handlers });
  running = worker.run();
  load = keepLoading();
  await refuseOne();
  const config = parse(textOf('prometheus.yml'));
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  config.rule_files = [pathOf('muster-alerts.yml')];
  config.scrape_configs[0].static_configs = [{ targets: [new URL(world.replica.httpAddress).host] }];
  prometheus = await Prometheus.start(stringify(config));
}, 300_000);

afterAll(async () => {
  loading = false;
  await prometheus?.stop();
  await load;
  await worker?.stop();
  await running;
  client?.close();
  await world?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const seriesOf = (what: string, expression: string) =>
  eventually(
    `${what} has series`,
    async () => {
      const series = await prometheus.query(expression);
      return series.length > 0 && series;
    },
    POLLING,
  );

describe('prometheus.yml', () => {
  it('is a valid Prometheus configuration, and finds the rules', async () => {
    expect(await promtool('check', 'config', pathOf('prometheus.yml'))).toMatch(/SUCCESS/);
  });

  it('lets Prometheus scrape a replica without an error', async () => {
    const [up] = await seriesOf('up', 'up{job="muster"}');
    expect(up?.value[1]).toBe('1');
    const [scraped] = await seriesOf('the scrape', 'scrape_samples_scraped{job="muster"}');
    expect(Number(scraped?.value[1])).toBeGreaterThan(100);
  });
});

describe('the dashboard', () => {
  it('has queries that Prometheus accepts', async () => {
    const file = join(scratch, 'queries.yml');
    const asRules = queries.map(([, expr], i) => ({ record: `query:${i}`, expr }));
    await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
    expect(await promtool('check', 'rules', file)).toContain(`SUCCESS: ${queries.length} rules found`);
  });

  it.each(queries)('shows data at "%s"', async (title, expr) => {
    // Prometheus returns NaN for a quantile of nothing, such as of a method that was not called lately.
    const shown = async () => (await prometheus.query(expr)).some(({ value }) => value[1] !== 'NaN');
    await eventually(`${title} has series`, shown, POLLING);
  });

  it('has variables with values', async () => {
    const defined = dashboard.templating.list.flatMap(({ name, definition }) =>
      definition ? [[name, definition]] : [],
    );
    expect(defined.length).toBe(3);
    for (const [name = '', definition = ''] of defined) {
      const [, metric = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      const series = await seriesOf(name, metric.replace('$namespace', '.*'));
      expect(series.some((one) => one.metric[label] !== undefined)).toBe(true);
    }
  });
});

describe('the alert rules', () => {
  it('are valid in Prometheus, and each has a case', async () => {
    expect(await promtool('check', 'rules', pathOf('muster-alerts.yml'))).toContain(`SUCCESS: ${rules.length} rules`);
    expect(rules.map(({ alert }) => alert)).toEqual(Object.keys(alertCases));
  });

  it('fire in their case, and not otherwise', async () => {
    const firing = (alert: string) => `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
    const tests = Object.entries(alertCases).flatMap(([alert, { fires, quiet }]) =>
      [fires, quiet].map((series, i) => ({
        name: `${alert} ${i === 0 ? 'fires' : 'is quiet'}`,
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: firing(alert),
            eval_time: `${MINUTES - 5}m`,
            exp_samples: i === 0 ? [{ labels: '{}', value: 1 }] : [],
          },
        ],
      })),
    );
    const file = join(scratch, 'alerts.test.yml');
    const whole = { rule_files: [pathOf('muster-alerts.yml')], evaluation_interval: '1m', tests };
    await writeFile(file, stringify(whole));
    expect(await promtool('test', 'rules', file)).toContain('SUCCESS');
  });

  it.each(rules.map(({ alert, expr }) => [alert, expr] as const))(
    'of %s use existing metrics and labels',
    async (alert, expr) => {
      expect(await prometheus.query(expr)).toBeDefined();
      const selectors = [...expr.matchAll(/\b((?:muster|rpc|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].filter(
        ([, name = '']) =>
          !/^muster_(namespace|queue|definition|table|session_condition|limit_of|limit_name)$/.test(name),
      );
      expect(selectors.length).toBeGreaterThan(0);
      for (const [, name = '', matchers = ''] of selectors) {
        const labels = [...matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label]) => `${label}!=""`);
        await seriesOf(`${alert}: ${name}`, `${name}{${labels.join(',')}}`);
      }
    },
  );

  it('are quiet for a healthy replica', async () => {
    expect((await prometheus.query('ALERTS{alertstate="firing"}')).map(({ metric }) => metric.alertname)).toEqual([]);
  });
});
