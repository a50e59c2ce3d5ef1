// Builds everything that a release ships into one folder.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { VERSION as NATS_VERSION } from '../setup/nats-server.mjs';
import { root } from '../setup/paths.mjs';
import { packArchive } from './archive.mjs';
import { packGo } from './go.mjs';
import { packJava } from './java.mjs';
import { buildNatsServer } from './nats-server.mjs';
import { packNatsServer, packNpm } from './npm.mjs';
import { buildPython } from './python.mjs';
import { packRust } from './rust.mjs';
import { changesOf, version } from './version.mjs';

/**
 * @param folder is emptied first.
 * @param platforms those of the archives and of the packages with nats-server.
 * @param say prints a line.
 * @returns the paths of what was built.
 */
export async function buildRelease({ folder, platforms, say }) {
  const timed = async (name, build) => {
    const started = Date.now();
    const result = await build();
    say(`${name} (${Math.round((Date.now() - started) / 1_000)} s)`);
    return result;
  };
  const into = (name) => join(folder, name);
  rmSync(folder, { recursive: true, force: true });
  const [sdk, server] = await timed('npm packages', () => packNpm(into('npm')));
  const nats = [];
  const archives = [];
  for (const platform of platforms) {
    const name = `${platform.os}-${platform.cpu}`;
    const built = await timed(`nats-server for ${name}`, () => buildNatsServer(platform));
    const [binary, licenses] = [join(built, 'nats-server'), join(built, 'licenses')];
    const tarball = await packNatsServer({ platform, binary, licenses, destination: into('npm') });
    nats.push(tarball);
    const tarballs = [server, tarball];
    const archive = () => packArchive({ platform, version, tarballs, destination: into('archives') });
    archives.push(await timed(`archive for ${name}`, archive));
  }
  const python = await timed('Python: wheel and source', () => buildPython(into('python')));
  const go = await timed('Go module', () => packGo(version, into('go')));
  const crate = await timed('crate', () => packRust(version, into('rust')));
  const maven = await timed('Maven repository', () => packJava(into('maven')));
  writeFileSync(into(`muster-${version}.cdx.json`), sbom());
  writeFileSync(into('CHANGES.md'), changesOf() ?? '');
  writeFileSync(into('SHA256SUMS'), checksums(folder));
  return { sdk, server, nats, archives, python, go, goProxy: into('go'), crate, maven };
}

/** CycloneDX: the dependencies of the npm packages, and nats-server. */
function sbom() {
  const args = ['sbom', '--sbom-format=cyclonedx', '--omit=dev', '--omit=optional', '--package-lock-only'];
  const document = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 }));
  document.components.push({
    type: 'application',
    name: 'nats-server',
    version: NATS_VERSION,
    purl: `pkg:golang/github.com/nats-io/nats-server/v2@v${NATS_VERSION}`,
    licenses: [{ license: { id: 'Apache-2.0' } }],
  });
  return `${JSON.stringify(document, null, 1)}\n`;
}

function checksums(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  const lines = files
    .filter((file) => statSync(file).isFile())
    .sort()
    .map((file) => `${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${relative(folder, file)}\n`);
  return lines.join('');
}
