/** A conformance worker that is compiled first, if the machine has its language. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll } from 'vitest';
import { describeWith, type Toolchain } from '../../support/run/toolchains.ts';
import { conforms, type Exceptions } from './conform.ts';

const root = new URL('../../../', import.meta.url).pathname;
/** The first build compiles all dependencies. */
const BUILD_MS = 1_200_000;

export interface Build {
  /** Relative to the checkout. */
  readonly folder: string;
  readonly command: readonly [string, ...string[]];
}

/** `worker` starts the result of `build`. */
export function conformsOnceBuilt(
  toolchain: Toolchain,
  { folder, command }: Build,
  worker: readonly string[],
  exceptions: Exceptions = {},
): void {
  describeWith(toolchain, `the worker in ${toolchain.language}`, () => {
    beforeAll(async () => {
      const [program, ...args] = command;
      await promisify(execFile)(program, args, { cwd: root + folder, maxBuffer: 1 << 26 });
    }, BUILD_MS);

    conforms(worker, exceptions);
  });
}
