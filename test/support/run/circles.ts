/**
 * The circle of each test file: when it runs.
 *
 * - `core`: with `npm test`, for each change, in minutes. Of some files the core has a part of the cases (`cases.ts`);
 *   these files run as a whole in a share too.
 * - `share`: with `npm run test:share -- N`. CI runs the core and one share for each commit.
 * - `long`: by name, and before a release with `npm run release:check`.
 */
import { globSync } from 'node:fs';
import { matchesGlob } from 'node:path';

export type Circle = 'core' | 'share' | 'long';

export interface Rule {
  readonly files: string;
  readonly circle: Circle;
  readonly why: string;
}

/** The tests of the SDK for Python, which pytest runs: one entry among the test files. */
export const PYTHON = 'sdk/python/tests';

const rule = (circle: Circle, why: string, ...globs: readonly string[]): readonly Rule[] =>
  globs.map((files) => ({ files, circle, why }));

/** The first rule that matches a file decides. A file that matches none fails `npm run check`. */
export const rules: readonly Rule[] = [
  ...rule('long', 'Jaeger, built from source', 'test/integration/traces/*'),
  ...rule('long', 'a whole release, installed', 'test/release/*'),

  ...rule('share', 'other languages', 'test/conformance/{exec,go,python,rust}.test.ts', 'test/languages/*'),
  ...rule('share', 'other languages', 'test/integration/demo/polyglot.test.ts'),
  ...rule('share', 'planted bugs', 'test/conformance/planted-bugs*', 'test/simulation/mutants-*'),
  ...rule('share', 'fuzzing', 'test/integration/fuzz/*', 'test/integration/api/mutations/*'),
  ...rule('share', 'PostgreSQL 16', 'test/integration/store/postgres-16.test.ts'),
  ...rule('share', 'the store on PGlite', 'test/integration/store/pglite*'),
  ...rule('share', 'lock order', 'test/integration/store/lock-order.test.ts'),
  ...rule('share', 'crashes of whole deployments', 'test/chaos/!(checker|crash|kill-points|linearizable).test.ts'),
  ...rule('share', 'a thousand workflows', 'test/integration/api/workflows/joins.test.ts'),
  ...rule('share', 'clusters of NATS', 'test/integration/bus/{event-cluster,external}.test.ts'),
  ...rule('share', 'transfer of all data', 'test/integration/transfer/*'),
  ...rule('share', 'the simulator', 'test/integration/simulate/*'),
  ...rule('share', 'several replicas', 'test/integration/{*replicas,failover,cancel-running,drain-processes}.test.ts'),
  ...rule('share', 'races', 'test/integration/races/*'),
  ...rule('share', 'the worker that runs commands', 'test/integration/exec/*'),
  ...rule('share', 'packages', 'test/integration/{package,python-package}.test.ts'),
  ...rule(
    'share',
    'guides',
    'test/integration/{guides,docs-*,sdk/cookbook,sdk/readmes,cli/base/played-guides}.test.ts',
  ),
  ...rule('share', 'monitoring with Prometheus', 'test/integration/monitoring/*'),

  ...rule('core', 'one module', 'test/unit/**'),
  ...rule('core', 'laws for random input', 'test/property/**'),
  ...rule('core', 'the API', 'test/integration/api/**'),
  ...rule('core', 'the store on PostgreSQL 18', 'test/integration/store/**'),
  ...rule('core', 'the bus', 'test/integration/bus/**'),
  ...rule('core', 'the command', 'test/integration/cli/**'),
  ...rule('core', 'the SDK for TypeScript', 'test/integration/sdk/**', 'test/conformance/typescript.test.ts'),
  ...rule('core', 'the SDK for Python', PYTHON),
  ...rule('core', 'everything together', 'test/integration/**'),
  ...rule('core', 'promises in virtual time', 'test/simulation/simulation.test.ts'),
  ...rule('core', 'crashes', 'test/chaos/*'),
];

export function ruleOf(file: string): Rule | undefined {
  return rules.find(({ files }) => matchesGlob(file, files));
}

/** All test files, from the root of the checkout, in order. */
export function allFiles(root: string): readonly string[] {
  return [...globSync('test/**/*.test.ts', { cwd: root }), PYTHON].sort();
}

/** The files of a circle. */
export function filesOf(root: string, circle: Circle): readonly string[] {
  return allFiles(root).filter((file) => ruleOf(file)?.circle === circle);
}
