// Bundles the command, the control plane and their threads with their dependencies, so that an installation is small and
// begins to work at once. The embedded database stays a dependency: it has files of its own.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { root } from '../setup/paths.mjs';

/** What starts as a file of its own; each keeps its place in the tree. */
const ENTRIES = [
  'server/cli/muster.ts',
  'server/embedded.ts',
  'server/expressions/expression-thread.ts',
  'server/schemas/schema-thread.ts',
  'server/store/driver/pglite-thread.ts',
  'sdk/typescript/src/worker/thread/session-thread.ts',
];
export const EXTERNAL = ['@electric-sql/pglite'];
/** The oldest Node of an installation. */
export const NODE = '22.12';

/** Packages that read files next to their code, and those files. */
const FILES_OF_PACKAGES = { 'grpc-health-check': ['proto'] };
const VENDOR = 'server/vendor';

const HERE = '__file_of_the_package__:';
const OWN = /\/(server|sdk\/typescript\/src|workers\/exec)\/.*\.ts$/;

/** Files that the code finds relative to itself stay where they are: only its own place has changed. */
const places = {
  name: 'places',
  setup(building) {
    building.onLoad({ filter: OWN }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const place = relative(root, path).replace(/\.ts$/, '.js');
      return { loader: 'ts', contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', `"${HERE}${place}"`) };
    });
    building.onLoad({ filter: /\/node_modules\/.*\.js$/ }, ({ path }) => {
      const name = Object.keys(FILES_OF_PACKAGES).find((known) => path.includes(`/node_modules/${known}/`));
      if (name === undefined) return undefined;
      const place = join(VENDOR, dirname(relative(join(root, 'node_modules'), path)));
      const folder = `require("node:url").fileURLToPath("${HERE}${place}")`;
      return { loader: 'js', contents: readFileSync(path, 'utf8').replaceAll('__dirname', folder) };
    });
  },
};

/**
 * Writes the bundle into the folder of a package.
 *
 * @returns the names of the bundled packages.
 */
export async function bundleServer(folder) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outbase: '.',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: `node${NODE}`,
    external: EXTERNAL,
    chunkNames: 'server/chunks/[name]-[hash]',
    banner: {
      js: "import { createRequire as requireOf } from 'node:module';\nconst require = requireOf(import.meta.url);",
    },
    plugins: [places],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    const up = relative(dirname(path), folder);
    const code = text.replaceAll(
      new RegExp(`"${HERE}([^"]+)"`, 'g'),
      (_, place) => `new URL("${up}/${place}", import.meta.url).href`,
    );
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  for (const [name, files] of Object.entries(FILES_OF_PACKAGES))
    for (const file of files)
      cpSync(join(root, 'node_modules', name, file), join(folder, VENDOR, name, file), { recursive: true });
  const inputs = Object.keys(metafile.inputs);
  const bundled = inputs.flatMap((file) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(bundled)].sort();
}
