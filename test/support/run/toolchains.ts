/**
 * Tests with requirements that a machine may lack: languages of SDKs, a C compiler, Jaeger, PgBouncer. Such tests are left out,
 * and the run ends with a list of them and the reasons. With CI=true nothing is left out: the run fails.
 */
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { lackOf, type Toolchain } from '../../../workers/demo-polyglot/toolchains.ts';
import type { LeftOut } from './left-out.ts';

export { go, java, rust, type Toolchain } from '../../../workers/demo-polyglot/toolchains.ts';

export const tracing: Toolchain = {
  language: 'tracing',
  programs: [{ name: 'jaeger', args: ['version'] }],
  folder: fileURLToPath(new URL('.', import.meta.url)),
  needed: 'Jaeger 2, which npm run test:traces builds',
};

/** Builds the libraries that are loaded into processes. */
export const c: Toolchain = {
  language: 'C',
  programs: [{ name: 'cc', args: ['--version'] }],
  folder: fileURLToPath(new URL('.', import.meta.url)),
  needed: 'a C compiler',
};

export const pgbouncer: Toolchain = {
  language: 'the pooler',
  programs: [{ name: 'pgbouncer', args: ['--version'] }],
  folder: fileURLToPath(new URL('.', import.meta.url)),
  needed: 'PgBouncer',
};

/** True while a left-out group defines its tests. */
let isLeftOut = false;

/** Like `describe`, if the machine has the toolchains. */
export function describeWith(toolchains: Toolchain | readonly Toolchain[], name: string, tests: () => void): void {
  const lacks = [toolchains].flat().flatMap((toolchain) => lackOf(toolchain) ?? []);
  // Inside a skipped group, vitest would report the tests of another skipped group as pending.
  if (lacks.length === 0 || isLeftOut) {
    describe(name, tests);
    return;
  }
  const why = `${name} is left out: ${lacks.join('; ')}`;
  const leftOut: LeftOut = { name, lacks };
  if (process.env.CI === 'true') {
    it(name, { meta: { leftOut } }, () => {
      throw new Error(why);
    });
    return;
  }
  describe.skip(why, { meta: { leftOut } }, () => {
    isLeftOut = true;
    tests();
    isLeftOut = false;
  });
}
