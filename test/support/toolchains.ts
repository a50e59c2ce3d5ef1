/**
 * Tests in the languages of SDKs that a machine may lack. What needs one is left out there, and its name says why; with CI=true nothing
 * is left out: it fails.
 */
import { describe, it } from 'vitest';
import { lackOf, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';

export { go, java, rust, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';

/** As `describe`, where the machine has the languages. */
export function describeWith(toolchains: Toolchain | readonly Toolchain[], name: string, tests: () => void): void {
  const lacks = [toolchains].flat().flatMap((toolchain) => lackOf(toolchain) ?? []);
  if (lacks.length === 0) {
    describe(name, tests);
    return;
  }
  const why = `${name} is left out: ${lacks.join('; ')}`;
  if (process.env.CI !== 'true') describe.skip(why, tests);
  else
    it(name, () => {
      throw new Error(why);
    });
}
