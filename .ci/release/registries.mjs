// Registries on this machine, so that a release can be published and installed without reaching the public ones. Each
// serves the packages of the release; what those depend on comes from where this machine gets it anyway.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { names } from '../names.mjs';
import { root, tools } from '../setup/paths.mjs';

const VERDACCIO = 'verdaccio@6.10.4';
const PYPISERVER = ['pypiserver==2.4.2', 'twine==6.2.0'];
const START_MS = 60_000;

/** @returns a free port of 127.0.0.1. */
function freePort() {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a program that serves a URL, and waits for its first answer. */
async function serve(program, args, url, log) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${program} did not start\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  log(`${url} is up`);
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

/** npm's registry: verdaccio, which passes on what it does not have. */
export async function npmRegistry(folder, log = console.log) {
  const home = join(tools, 'verdaccio');
  const program = join(home, 'node_modules/verdaccio/bin/verdaccio');
  if (!existsSync(program)) {
    mkdirSync(home, { recursive: true });
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
    execFileSync('npm', ['install', '--prefix', home, VERDACCIO, ...flags], { stdio: 'inherit' });
  }
  const upstream = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  const port = await freePort();
  const own = 'access: $all, publish: $all, unpublish: $all';
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'config.yaml'),
    `storage: ${join(folder, 'storage')}
uplinks: { upstream: { url: ${JSON.stringify(upstream)}, timeout: 60s, max_fails: 20 } }
packages:
  '${names.scope}/*': { ${own} }
  '${names.npm}': { ${own} }
  '**': { access: $all, proxy: upstream }
max_body_size: 200mb
log: { type: stdout, level: warn }
`,
  );
  const url = `http://127.0.0.1:${port}/`;
  const args = [program, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`];
  const stop = await serve(process.execPath, args, url, log);
  // npm publishes with a token only; verdaccio asks for none.
  const env = { npm_config_registry: url, [`npm_config_//127.0.0.1:${port}/:_authToken`]: 'none' };
  return { env, stop };
}

/** Python's index: pypiserver with the packages of the release. */
export async function pythonIndex(folder, log = console.log) {
  const venv = join(tools, 'pypiserver');
  const bin = (name) => join(venv, 'bin', name);
  if (!existsSync(bin('twine'))) {
    execFileSync('python3', ['-m', 'venv', '--clear', venv], { stdio: 'inherit' });
    execFileSync(bin('pip'), ['install', '--quiet', ...PYPISERVER], { stdio: 'inherit' });
  }
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const args = ['run', '-i', '127.0.0.1', '-p', String(port), '-P', '.', '-a', '.', '--disable-fallback', folder];
  const stop = await serve(bin('pypi-server'), args, `http://127.0.0.1:${port}/`, log);
  const upload = { TWINE_REPOSITORY_URL: `http://127.0.0.1:${port}/`, TWINE_USERNAME: 'none', TWINE_PASSWORD: 'none' };
  return { env: { PIP_EXTRA_INDEX_URL: `http://127.0.0.1:${port}/simple/`, ...upload }, twine: bin('twine'), stop };
}

/** A dependency as Cargo's index lists it, from `cargo read-manifest`. */
const indexed = ({ name, req, features, optional, uses_default_features, target, kind, rename }) => ({
  name: rename ?? name,
  ...(rename && { package: name }),
  req,
  features,
  optional,
  default_features: uses_default_features,
  target,
  kind: kind ?? 'normal',
  registry: null,
});

/** A sparse index of Cargo in front of the public one: it adds the crate of the release. */
export async function cargoIndex(crate) {
  const manifest = join(root, 'sdk/rust/Cargo.toml');
  const read = execFileSync('cargo', ['read-manifest', '--manifest-path', manifest], { encoding: 'utf8' });
  const { name, version, dependencies, features, rust_version } = JSON.parse(read);
  const bytes = readFileSync(crate);
  const cksum = createHash('sha256').update(bytes).digest('hex');
  const deps = dependencies.map(indexed);
  const line = JSON.stringify({ name, vers: version, deps, cksum, features, yanked: false, rust_version });
  const path = `/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
  const answers = { [path]: `${line}\n`, [`/dl/${name}/${version}`]: bytes };
  const server = createServer(async (request, response) => {
    const { url } = request;
    const [, , other, wanted] = url.split('/');
    if (url === '/config.json')
      response.end(JSON.stringify({ dl: `http://127.0.0.1:${server.address().port}/dl/{crate}/{version}` }));
    else if (answers[url]) response.end(answers[url]);
    else if (url.startsWith('/dl/'))
      response.writeHead(302, { location: `https://static.crates.io/crates/${other}/${other}-${wanted}.crate` }).end();
    else {
      const answer = await fetch(`https://index.crates.io${url}`).catch(() => undefined);
      response.writeHead(answer?.status ?? 502).end(answer && Buffer.from(await answer.arrayBuffer()));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `sparse+http://127.0.0.1:${server.address().port}/`;
  const config = `[source.crates-io]\nreplace-with = "release"\n\n[source.release]\nregistry = "${url}"\n`;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { config, stop };
}

/** Settings with which Maven finds the artifacts of a folder, and everything else where it does anyway. */
export const mavenSettings = (repository) => `<settings>
  <profiles>
    <profile>
      <id>release</id>
      <repositories>
        <repository><id>release</id><url>file://${repository}</url></repository>
      </repositories>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>release</activeProfile></activeProfiles>
</settings>
`;
