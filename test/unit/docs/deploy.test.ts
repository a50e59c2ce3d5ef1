/** The files of docs/deploy, checked without a container: names exist, settings are known, systemd accepts the unit. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = new URL('../../../', import.meta.url).pathname;
const folder = join(root, 'docs/deploy');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const scratch = mkdtempSync(join(tmpdir(), 'muster-deploy-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const optionSources = ['server-options.ts', 'database-url.ts'].map((name) =>
  readFileSync(join(root, 'server/cli/input', name), 'utf8'),
);
const options = optionSources.join('').concat(readFileSync(join(root, 'server/cli/commands/upkeep/server.ts'), 'utf8'));
const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const neededNode = readFileSync(join(root, 'server/cli/bin.mjs'), 'utf8').match(/isCheckout \? '(\d+)\./)?.[1];

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

describe('the settings', () => {
  it.each(readdirSync(folder).filter((name) => name !== 'secrets'))('in %s are settings of muster server', (name) => {
    for (const [variable] of read(name).matchAll(/MUSTER_[A-Z_]+/g)) {
      expect(options, `${variable} is read by nobody`).toContain(`'${variable}'`);
    }
  });
});

describe('muster.service', () => {
  it.skipIf(!has('systemd-analyze'))('is a unit that systemd accepts', () => {
    const file = join(scratch, 'muster.service');
    // systemd checks that the program and the file of settings exist, so the test puts existing paths in their place.
    const unit = read('muster.service').replace(/\/opt\/muster\S+/, process.execPath);
    writeFileSync(file, unit.replace('/etc/muster/muster.env', join(folder, 'muster.env')));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
    const about = stderr.split('\n').filter((line) => line.includes('muster.service'));
    expect(about).toEqual([]);
    expect(status).toBe(0);
  });

  it('starts a program of the package', () => {
    const [, name = ''] =
      read('muster.service').match(/ExecStart=\/opt\/muster\/node_modules\/\.bin\/(\S+) server$/m) ?? [];
    expect(Object.keys(packageJson.bin)).toContain(name);
  });
});

describe('Dockerfile', () => {
  it('uses a new enough Node, and starts a program of the package', () => {
    expect(read('Dockerfile')).toMatch(new RegExp(`^FROM node:${neededNode}-`, 'm'));
    const [, name = ''] =
      read('Dockerfile').match(/^ENTRYPOINT \["\/opt\/muster\/node_modules\/\.bin\/(\S+)"\]$/m) ?? [];
    expect(Object.keys(packageJson.bin)).toContain(name);
  });

  it('checks its health with a command that Node can run', () => {
    const [, script = ''] = read('Dockerfile').match(/CMD \["node", "-e", "([^"]+)"\]/) ?? [];
    execFileSync(process.execPath, ['--check', '-'], { input: script });
    expect(script).toContain(':7080/healthz');
  });
});

describe('compose.yaml', () => {
  const compose = parse(read('compose.yaml'), { merge: true });
  const services = Object.entries<Service>(compose.services);

  it('refers only to names that exist', () => {
    for (const [name, service] of services) {
      for (const other of Object.keys(service.depends_on ?? {})) expect(Object.keys(compose.services)).toContain(other);
      for (const secret of service.secrets ?? []) expect(Object.keys(compose.secrets)).toContain(secret);
      for (const volume of service.volumes ?? []) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
      if (service.image !== 'muster') continue;
      for (const word of service.command?.slice(1) ?? []) expect(options, name).toContain(`'${word}'`);
    }
  });

  it('keeps events in a JetStream whose files are in a volume', () => {
    const { command = [], volumes = [] } = compose.services.nats as Service;
    expect(command).toContain('--jetstream');
    const folder = command.find((word) => word.startsWith('--store_dir='))?.split('=')[1];
    expect(volumes.map((volume) => volume.split(':')[1])).toEqual([folder]);
  });

  it('publishes each port once, and only on this machine', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? []);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
  });

  it('runs replicas on one database and one bus', () => {
    const replicas = services.filter(([, { image }]) => image === 'muster').map(([, service]) => service);
    expect(replicas.length).toBe(2);
    for (const { environment, command } of replicas) {
      expect(command?.[0]).toBe('server');
      expect(environment).toEqual(replicas[0]?.environment);
      expect(Object.keys(compose.services)).toContain(new URL(environment?.MUSTER_NATS ?? '').hostname);
    }
  });
});
