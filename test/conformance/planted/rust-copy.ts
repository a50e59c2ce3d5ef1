/** A copy of the Rust SDK and its conformance worker, to plant faults in. What they depend on is built once, for the copy and the SDK. */
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
/** Always the same: cargo knows what it has built by where it was. */
const COPY = `${TARGET}/planted`;
/** Of a name that the SDK's own worker, which other tests run, does not have. */
const WORKER = 'muster-planted-worker';

export class RustCopy {
  #built = 0;

  constructor() {
    this.remove();
    mkdirSync(COPY, { recursive: true });
    // One by one: a folder can not be copied into itself, which the target is in.
    const ofSdk = readdirSync(`${root}sdk/rust`).filter((name) => name !== 'target' && name !== 'proto');
    const members = ['workers/conformance-rust', 'workers/demo-polyglot/rust'];
    for (const name of ['proto', ...members, ...ofSdk.map((name) => `sdk/rust/${name}`)])
      cpSync(root + name, `${COPY}/${name}`, { recursive: true, verbatimSymlinks: true });
    const binary = `\n[[bin]]\nname = "${WORKER}"\npath = "src/main.rs"\n`;
    appendFileSync(`${COPY}/workers/conformance-rust/Cargo.toml`, binary);
  }

  /** Builds the worker with these patches alone, and answers its path. @throws Error with the words of the compiler. */
  async build(patches: readonly Patch[]): Promise<string> {
    const sources = new Map(patches.map(({ file }) => [file, readFileSync(root + file, 'utf8')]));
    for (const patch of patches) sources.set(patch.file, applyPatch(sources.get(patch.file) ?? '', patch));
    for (const [file, source] of sources) writeFileSync(`${COPY}/${file}`, source);
    try {
      // Of the whole workspace, so that what it depends on has the same features.
      const args = ['build', '--locked', '--workspace', '--bin', WORKER];
      const env = { ...process.env, CARGO_TARGET_DIR: TARGET };
      await promisify(execFile)('cargo', args, { cwd: `${COPY}/sdk/rust`, env, maxBuffer: 1 << 26 });
    } finally {
      // Written, not copied: cargo builds anew what is newer than its last build.
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
