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

const PACKAGES = ['muster/v1', 'muster/worker/v1'];
const OPENAPI = 'server/gen/openapi.json';
const REFERENCE = 'docs/reference';
const PYTHON_SOURCES = 'sdk/python/src';
const PYTHON_INIT = '"""The generated messages and stubs of the contract; see proto/muster."""\n';

/** The PATH, then the folder that Go's installer uses. */
const GO_PATH = [process.env.PATH, '/usr/local/go/bin'].join(delimiter);

/** Folders that contain only generated code. */
export const generatedFolders = [
  'server/gen',
  'sdk/typescript/src/gen',
  ...PACKAGES.map((folder) => join(PYTHON_SOURCES, folder)),
  REFERENCE,
];
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
