/**
 * Tests that need what a machine may lack: languages of SDKs, a C compiler, Jaeger. There they are left out, and the run says at its end which and why;
 * with CI=true nothing is left out: it fails.
 */
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { lackOf, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';
import type { LeftOut } from './left-out.ts';

export { go, java, rust, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';

export const tracing: Toolchain = {
  language: 'tracing',
  programs: [{ name: 'jaeger', args: ['version'] }],
  folder: fileURLToPath(new URL('.', import.meta.url)),
  needed: 'Jaeger 2, which npm run test:traces builds',
};

/** Builds what moves the wall clock of a worker. */
export const c: Toolchain = {
  language: 'C',
  programs: [{ name: 'cc', args: ['--version'] }],
  folder: fileURLToPath(new URL('.', import.meta.url)),
  needed: 'a C compiler',
};

/** While the tests of a group that is left out are told of. */
let isLeftOut = false;

/** As `describe`, where the machine has the toolchains. */
export function describeWith(toolchains: Toolchain | readonly Toolchain[], name: string, tests: () => void): void {
  const lacks = [toolchains].flat().flatMap((toolchain) => lackOf(toolchain) ?? []);
  // In a group that is skipped, vitest takes the tests of another one that is skipped for tests that have yet to run.
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
