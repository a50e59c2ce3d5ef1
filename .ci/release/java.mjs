// The Java SDK and its BOM, as a Maven repository and as the bundle that Maven Central takes.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../setup/paths.mjs';

const POMS = ['sdk/java/pom.xml', 'sdk/java/bom/pom.xml'];

/**
 * Central takes signed bundles only: with an armoured secret key in MAVEN_GPG_KEY, and its MAVEN_GPG_PASSPHRASE, all
 * files are signed.
 *
 * @returns the folder of the repository, and the bundle.
 */
export function packJava(destination) {
  const repository = join(destination, 'repository');
  const signing = process.env.MAVEN_GPG_KEY ? '-Dgpg.signer=bc' : '-Dgpg.skip';
  for (const pom of POMS) {
    const args = ['-B', '-ntp', '-q', '-f', join(root, pom), '-P', 'release', 'deploy', '-DskipTests', signing];
    const target = ['-Dmaven.install.skip=true', `-DaltDeploymentRepository=local::file:${repository}`];
    execFileSync('mvn', [...args, '-Daether.checksums.algorithms=MD5,SHA-1,SHA-256', ...target], { stdio: 'inherit' });
  }
  const bundle = join(destination, 'central-bundle.zip');
  const folder = mkdtempSync(join(tmpdir(), 'muster-bundle-'));
  try {
    cpSync(repository, folder, { recursive: true });
    for (const file of readdirSync(folder, { recursive: true }))
      if (/maven-metadata\.xml/.test(file)) rmSync(join(folder, file));
    execFileSync('jar', ['--create', '--no-manifest', '--file', bundle, '-C', folder, 'io']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { repository, bundle };
}
