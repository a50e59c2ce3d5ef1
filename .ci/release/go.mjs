// The Go SDK as a module proxy serves it. Publishing is a tag of the repository: Go fetches modules from there.

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { names } from '../names.mjs';
import { root } from '../setup/paths.mjs';

const FOLDER = 'sdk/go';
const MODULE = `${names.repository}/${FOLDER}`;

/** With the folder of Go's installer on the PATH. */
export const goEnvironment = () => ({ ...process.env, PATH: [process.env.PATH, '/usr/local/go/bin'].join(delimiter) });

/** The tag that publishes a version of a module in a folder of a repository. */
export const goTag = (version) => `${FOLDER}/v${version}`;

/** Writes a module proxy with this version, from the last commit; its URL is `file://` and the folder. */
export function packGo(version, proxy) {
  const folder = join(proxy, MODULE, '@v');
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `v${version}`);
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const time = git('log', '-1', '--format=%cI');
  writeFileSync(join(folder, 'list'), `v${version}\n`);
  writeFileSync(`${name}.info`, JSON.stringify({ Version: `v${version}`, Time: new Date(time).toISOString() }));
  copyFileSync(join(root, FOLDER, 'go.mod'), `${name}.mod`);
  git('archive', '--format=zip', `--prefix=${MODULE}@v${version}/`, `--output=${name}.zip`, `HEAD:${FOLDER}`);
  return `${name}.zip`;
}

/** Environment in which Go takes the module from that folder, and everything else from where it does anyway. */
export function goProxies(proxy) {
  const env = goEnvironment();
  const given = execFileSync('go', ['env', 'GOPROXY'], { env, encoding: 'utf8' }).trim();
  return { GOPROXY: `file://${proxy},${given}`, GONOSUMDB: names.repository, GOFLAGS: '-mod=mod', GOWORK: 'off' };
}
