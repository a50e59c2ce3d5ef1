/**
 * A copy of the Rust SDK and its conformance worker for planted bugs. Dependencies are built once, for the copy and for
 * the SDK.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { Patch } from '../../simulation/mutants/mutant.ts';
import { applyPatch } from '../../simulation/mutants/plant.ts';

const root = new URL('../../../', import.meta.url).pathname;
const TARGET = `${root}sdk/rust/target`;
/** Always the same path, because cargo identifies its builds by path. */
const COPY = `${TARGET}/planted`;
/** Not the name of the SDK's own worker, which other tests run. */
const WORKER = 'muster-planted-worker';
/** Not the version of the SDK, because cargo names a library's file by its version and its path in the workspace. */
const VERSION = '0.0.0-planted';

export class RustCopy {
  #built = 0;

  constructor() {
    this.remove();
    mkdirSync(COPY, { recursive: true });
    // One by one: a folder can not be copied into itself, and the target is inside it.
    const ofSdk = readdirSync(`${root}sdk/rust`).filter((name) => name !== 'target');
    const members = ['workers/conformance-rust', 'workers/demo-polyglot/rust'];
    for (const name of [...members, ...ofSdk.map((name) => `sdk/rust/${name}`)])
      cpSync(root + name, `${COPY}/${name}`, { recursive: true, verbatimSymlinks: true });
    const binary = `\n[[bin]]\nname = "${WORKER}"\npath = "src/main.rs"\n`;
    appendFileSync(`${COPY}/workers/conformance-rust/Cargo.toml`, binary);
    for (const file of ['Cargo.toml', 'Cargo.lock']) setVersion(`${COPY}/sdk/rust/${file}`);
  }

  /** Builds the worker with only these patches, and returns its path. @throws Error with the output of the compiler. */
  async build(patches: readonly Patch[]): Promise<string> {
    const sources = new Map(patches.map(({ file }) => [file, readFileSync(root + file, 'utf8')]));
    for (const patch of patches) sources.set(patch.file, applyPatch(sources.get(patch.file) ?? '', patch));
    for (const [file, source] of sources) writeFileSync(`${COPY}/${file}`, source);
    try {
      // The whole workspace, so that dependencies are built with the same features.
      const args = ['build', '--locked', '--workspace', '--bin', WORKER];
      const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
      await promisify(execFile)('cargo', args, { cwd: `${COPY}/sdk/rust`, env, maxBuffer: 1 << 26 });
    } finally {
      // Written and not copied, because cargo rebuilds files that are newer than its last build.
      for (const file of sources.keys()) writeFileSync(`${COPY}/${file}`, readFileSync(root + file));
    }
    const built = `${COPY}/worker-${this.#built++}`;
    copyFileSync(`${TARGET}/debug/${WORKER}`, built);
    return built;
  }

  remove(): void {
    rmSync(COPY, { recursive: true, force: true });
  }
}

/** Only the SDK's own package has exactly this name. */
function setVersion(file: string): void {
  const manifest = readFileSync(file, 'utf8');
  const changed = manifest.replace(
    /^name = "muster-jobs"\nversion = ".*"$/m,
    `name = "muster-jobs"\nversion = "${VERSION}"`,
  );
  if (changed === manifest) throw new Error(`${file} has no version of the package "muster-jobs"`);
  writeFileSync(file, changed);
}
