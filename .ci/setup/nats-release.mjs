// Downloads nats-server's official release and checks it against the checksums published with it.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './run.mjs';

// The small file of checksums comes first: without internet it fails at once, and nothing waits for the large one.
const CHECKSUMS_MS = 8_000;
const ARCHIVE_MS = 180_000;
const UNPACK_SECONDS = 60;
const PLATFORMS = { linux: 'linux', darwin: 'darwin' };
const PROCESSORS = { x64: 'amd64', arm64: 'arm64' };

/** Puts the binary of the given version at `path`; rejects when the site cannot be reached or a checksum differs. */
export async function downloadRelease(version, path) {
  const [platform, processor] = [PLATFORMS[process.platform], PROCESSORS[process.arch]];
  if (!platform || !processor) throw new Error(`there is none for ${process.platform} ${process.arch}`);
  const name = `nats-server-v${version}-${platform}-${processor}`;
  const base = `https://github.com/nats-io/nats-server/releases/download/v${version}`;
  const sums = (await download(`${base}/SHA256SUMS`, CHECKSUMS_MS)).toString();
  const expected = checksumOf(`${name}.tar.gz`, sums);
  const archive = await download(`${base}/${name}.tar.gz`, ARCHIVE_MS);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${name}.tar.gz has the checksum ${actual} instead of ${expected}`);
  const folder = dirname(path);
  writeFileSync(join(folder, 'release.tar.gz'), archive);
  const unpack = ['-xzf', 'release.tar.gz', '--strip-components=1', `${name}/nats-server`];
  await run('tar', unpack, { seconds: UNPACK_SECONDS, cwd: folder });
}

function checksumOf(file, sums) {
  for (const line of sums.split('\n')) {
    const [sum, name] = line.trim().split(/\s+\*?/);
    if (name === file) return sum;
  }
  throw new Error(`SHA256SUMS does not name ${file}`);
}

async function download(url, milliseconds) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds) });
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    throw new Error(`cannot fetch ${url}: ${error.cause?.message ?? error.message}`);
  }
}
