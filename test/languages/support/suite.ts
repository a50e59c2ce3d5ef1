/** The checks and tests of an SDK, run by its own tools. Tests that need a control plane get one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestReplica, type TestReplica } from '../../support/base/replica.ts';
import { describeWith, type Toolchain } from '../../support/run/toolchains.ts';

export interface Suite {
  readonly toolchain: Toolchain;
  /** Relative to the checkout. */
  readonly folder: string;
  /** Commands by the test title. */
  readonly runs: Readonly<Record<string, readonly string[]>>;
}

const root = new URL('../../../', import.meta.url).pathname;
/** The first run compiles all dependencies. */
const RUN_MS = 1_200_000;
const WORDS = 8_000;

export function suiteOf({ toolchain, folder, runs }: Suite): void {
  describeWith(toolchain, `the SDK for ${toolchain.language}`, () => {
    let replica: TestReplica | undefined;

    beforeAll(async () => {
      replica = await startTestReplica();
    });
    afterAll(() => replica?.stop());

    it.each(Object.entries(runs))(
      '%s',
      async (_, command) => {
        const { code, words } = await run(folder, command, replica?.grpcAddress ?? '');
        expect(code, words).toBe(0);
      },
      RUN_MS,
    );
  });
}

async function run(folder: string, [program = '', ...args]: readonly string[], address: string) {
  const env = { ...process.env, MUSTER_TEST_ADDRESS: address };
  const child = spawn(program, args, { cwd: root + folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      words = (words + chunk).slice(-WORDS);
    });
  const [code] = await once(child, 'close');
  return { code, words };
}
