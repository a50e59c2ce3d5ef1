// Generates code and documents from the contract: TypeScript and Go by buf (buf.gen.yaml, buf.gen.go.yaml), Rust by the
// package generate/rust, Python by grpcio-tools, the reference of the HTTP port, and the contract as a readable page. Go and
// Rust are left out if the machine has none.
//
//   node .ci/generate.mjs [folder]     writes below the folder instead of the checkout

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { apiReference } from './reference/markdown.mjs';
import { openApi } from './reference/openapi.mjs';
import { findOnPath, root, tools } from './setup/paths.mjs';

const PACKAGES = ['muster/v1', 'muster/worker/v1'];
const OPENAPI = 'server/gen/openapi.json';
const REFERENCE = 'docs/reference';
const PYTHON_SOURCES = 'sdk/python/src';
const PYTHON_INIT = '"""The generated messages and stubs of the contract; see proto/muster."""\n';

/** The PATH, then the folder that Go's installer uses. */
const GO_PATH = [process.env.PATH, '/usr/local/go/bin'].join(delimiter);

const CARGO_PATH = [process.env.PATH, join(homedir(), '.cargo/bin')].join(delimiter);
const RUST_GENERATOR = '.ci/generate/rust';

/** Folders that contain only generated code. */
export const generatedFolders = [
  'server/gen',
  'sdk/typescript/src/gen',
  ...PACKAGES.map((folder) => join(PYTHON_SOURCES, folder)),
  REFERENCE,
];
/** Generated folder that needs Go on the machine. */
export const goFolder = 'sdk/go/musterpb';

/** Generated folder that needs Rust on the machine. */
export const rustFolder = 'sdk/rust/src/generated';
/**
 * A hash of that folder, the contract and the generator. While it is right there is nothing to generate: building the
 * generator takes half a minute of processor time.
 */
export const rustStamp = join(RUST_GENERATOR, 'stamp');

/** Whether the machine has Go. */
export function hasGo() {
  return findOnPath('go', GO_PATH) !== undefined;
}

/** Whether the machine has Rust. */
export function hasRust() {
  return findOnPath('cargo', CARGO_PATH) !== undefined;
}

/** Whether the code for Rust is that of the contract and the generator. */
export function isRustCurrent() {
  const stamp = join(root, rustStamp);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === stampOf(root);
}

/** Writes all generated code below `target`, and removes older code there; for Go and Rust only if the machine has them. */
export function generate(target) {
  runInRoot('buf', ['generate', '--output', target]);
  if (hasGo()) runInRoot('buf', ['generate', '--template', 'buf.gen.go.yaml', '--output', target], { PATH: GO_PATH });
  else console.warn(`There is no go on the PATH: ${goFolder} is not generated.`);
  if (!isRustCurrent()) {
    if (hasRust()) generateRust(target);
    else console.warn(`There is no cargo on the PATH: ${rustFolder} is not generated.`);
  }
  generatePython(join(target, PYTHON_SOURCES));
  mkdirSync(join(target, dirname(OPENAPI)), { recursive: true });
  writeFileSync(join(target, OPENAPI), `${JSON.stringify(openApi(), null, 1)}\n`);
  mkdirSync(join(target, REFERENCE), { recursive: true });
  writeFileSync(join(target, REFERENCE, 'api.md'), apiReference());
}

/** One file for each package. */
function generateRust(target) {
  const options = { cwd: root, stdio: ['pipe', 'pipe', 'inherit'], maxBuffer: 2 ** 26 };
  const contract = execFileSync('buf', ['build', 'proto', '--as-file-descriptor-set', '--output', '-'], options);
  const built = join(tools, 'generate-rust');
  const manifest = join(RUST_GENERATOR, 'Cargo.toml');
  const args = ['build', '--quiet', '--locked', '--manifest-path', manifest, '--target-dir', built];
  runInRoot('cargo', args, { PATH: CARGO_PATH });
  const folder = join(target, rustFolder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync(join(built, 'debug/generate'), [folder], { ...options, input: contract });
  mkdirSync(join(target, RUST_GENERATOR), { recursive: true });
  writeFileSync(join(target, rustStamp), stampOf(target));
}

/** The stamp of the code for Rust below `target`. */
function stampOf(target) {
  const contract = PACKAGES.flatMap((folder) => filesOf(root, join('proto', folder)));
  const generator = ['Cargo.toml', 'Cargo.lock', 'src/main.rs'].map((file) => join(root, RUST_GENERATOR, file));
  const hash = createHash('sha256');
  for (const file of [...contract, ...generator, ...filesOf(target, rustFolder)])
    hash.update(createHash('sha256').update(readFileSync(file)).digest());
  return `${hash.digest('hex')}\n`;
}

function filesOf(base, folder) {
  const names = existsSync(join(base, folder)) ? readdirSync(join(base, folder)).sort() : [];
  return names.map((name) => join(base, folder, name));
}

/** The root of the Python tree is the import root: generated modules import each other as `muster.v1`. */
function generatePython(target) {
  for (const folder of PACKAGES) {
    rmSync(join(target, folder), { recursive: true, force: true });
    mkdirSync(join(target, folder), { recursive: true });
  }
  const files = PACKAGES.flatMap((folder) => {
    const names = readdirSync(join(root, 'proto', folder)).filter((name) => name.endsWith('.proto'));
    return names.map((name) => join('proto', folder, name));
  });
  protoc(files, [`--python_out=${target}`, `--pyi_out=${target}`]);
  protoc(
    files.filter((file) => file.endsWith('_service.proto')),
    [`--grpc_python_out=${target}`],
  );
  for (const folder of PACKAGES) writeFileSync(join(target, folder, '__init__.py'), PYTHON_INIT);
}

function protoc(files, outputs) {
  const python = join(tools, 'python-tools', 'bin', 'python');
  const includes = ['--proto_path=proto', '--proto_path=node_modules/google-proto-files'];
  runInRoot(python, ['-m', 'grpc_tools.protoc', ...includes, ...outputs, ...files]);
}

function runInRoot(program, args, environment = {}) {
  const env = { ...process.env, ...environment };
  execFileSync(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

if (import.meta.filename === process.argv[1]) generate(resolve(process.argv[2] ?? root));
