/**
 * A copy of the Java SDK and its conformance worker, built once. Patched classes are compiled into folders that come
 * before it on the class path.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findOnPath } from '../../../workers/demo-polyglot/toolchains.ts';
import type { Patch } from '../../simulation/mutants/mutant.ts';
import { applyPatch } from '../../simulation/mutants/plant.ts';
import { shortLivedJvm } from '../../support/base/jvm.ts';

const root = new URL('../../../', import.meta.url).pathname;
const WORKER = 'workers/conformance-java';
const SOURCES = 'sdk/java/src/main/java/';

const run = promisify(execFile);

export class JavaCopy {
  /** A separate folder, because other tests build and run the SDK in the checkout. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'muster-java-planted-'));
  #planted = 0;

  /** @throws Error with the output of Maven. */
  async build(): Promise<void> {
    const filter = (file: string) => basename(file) !== 'target';
    for (const folder of ['sdk/java', WORKER])
      cpSync(root + folder, join(this.#folder, folder), { recursive: true, filter });
    const args = [
      '-B',
      '-ntp',
      '-q',
      '-f',
      'with-sdk.xml',
      'package',
      '-Dmaven.test.skip=true',
      `-Dmuster.proto=${root}proto`,
    ];
    await run('mvn', args, { cwd: join(this.#folder, WORKER), maxBuffer: 1 << 26 });
  }

  /** Returns the command that starts the worker with the patches. @throws Error with the output of the compiler. */
  async plant(patches: readonly Patch[]): Promise<readonly string[]> {
    const built = join(this.#folder, WORKER, 'target');
    const jars = [join(built, 'conformance-worker.jar'), join(built, 'lib', '*')];
    const planted = join(this.#folder, `planted-${this.#planted++}`);
    const files = this.#patched(patches, join(planted, 'sources'));
    if (files.length > 0) {
      const args = [
        ...shortLivedJvm.map((flag) => `-J${flag}`),
        '-proc:none',
        '--release',
        '17',
        '-d',
        planted,
        '-cp',
        jars.join(delimiter),
        ...files,
      ];
      await run(findOnPath('javac') ?? 'javac', args, { maxBuffer: 1 << 26 });
    }
    const path = [planted, ...jars].join(delimiter);
    return ['java', ...shortLivedJvm, '-cp', path, 'dev.muster.conformance.ConformanceWorker'];
  }

  #patched(patches: readonly Patch[], folder: string): string[] {
    const sources = new Map(patches.map(({ file }) => [file, readFileSync(root + file, 'utf8')]));
    for (const patch of patches) sources.set(patch.file, applyPatch(sources.get(patch.file) ?? '', patch));
    return [...sources].map(([file, source]) => {
      const to = join(folder, file.slice(SOURCES.length));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, source);
      return to;
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
