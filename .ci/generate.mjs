// Generates code and documents from the contract: TypeScript and Go by buf (buf.gen.yaml, buf.gen.go.yaml), Python by
// grpcio-tools, the reference of the HTTP port, and the contract as a readable page. Go is left out if the machine has none.
//
//   node .ci/generate.mjs [folder]     writes below the folder instead of the checkout

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { apiReference } from './reference/markdown.mjs';
import { openApi } from './reference/openapi.mjs';
import { findOnPath, root, tools } from './setup/paths.mjs';

const PACKAGE = 'muster/v1';
const OPENAPI = 'server/gen/openapi.json';
const REFERENCE = 'docs/reference';
const PYTHON_SOURCES = 'sdk/python/src';
const PYTHON_INIT = '"""The generated messages and stubs of the contract; see proto/muster/v1."""\n';

/** The PATH, then the folder that Go's installer uses. */
const GO_PATH = [process.env.PATH, '/usr/local/go/bin'].join(delimiter);

/** Folders that contain only generated code. */
export const generatedFolders = ['server/gen', 'sdk/typescript/src/gen', join(PYTHON_SOURCES, PACKAGE), REFERENCE];
/** Generated folder that needs Go on the machine. */
export const goFolder = 'sdk/go/musterpb';

/** Whether the machine has Go. */
export function hasGo() {
  return findOnPath('go', GO_PATH) !== undefined;
}

/** Writes all generated code below `target`, and removes older generated code there; Go only if the machine has it. */
export function generate(target) {
  runInRoot('buf', ['generate', '--output', target]);
  if (hasGo()) runInRoot('buf', ['generate', '--template', 'buf.gen.go.yaml', '--output', target], { PATH: GO_PATH });
  else console.warn(`There is no go on the PATH: ${goFolder} is not generated.`);
  generatePython(join(target, PYTHON_SOURCES));
  mkdirSync(join(target, dirname(OPENAPI)), { recursive: true });
  writeFileSync(join(target, OPENAPI), `${JSON.stringify(openApi(), null, 1)}\n`);
  mkdirSync(join(target, REFERENCE), { recursive: true });
  writeFileSync(join(target, REFERENCE, 'api.md'), apiReference());
}

/** The root of the Python tree is the import root: generated modules import each other as `muster.v1`. */
function generatePython(target) {
  const folder = join(target, PACKAGE);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(join(root, 'proto', PACKAGE)).filter((file) => file.endsWith('.proto'));
  const services = files.filter((file) => file.endsWith('_service.proto'));
  protoc(files, [`--python_out=${target}`, `--pyi_out=${target}`]);
  protoc(services, [`--grpc_python_out=${target}`]);
  writeFileSync(join(folder, '__init__.py'), PYTHON_INIT);
}

function protoc(files, outputs) {
  const python = join(tools, 'python-tools', 'bin', 'python');
  const includes = ['--proto_path=proto', '--proto_path=node_modules/google-proto-files'];
  const paths = files.map((file) => join('proto', PACKAGE, file));
  runInRoot(python, ['-m', 'grpc_tools.protoc', ...includes, ...outputs, ...paths]);
}

function runInRoot(program, args, environment = {}) {
  const env = { ...process.env, ...environment };
  execFileSync(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
}

if (import.meta.filename === process.argv[1]) generate(resolve(process.argv[2] ?? root));
