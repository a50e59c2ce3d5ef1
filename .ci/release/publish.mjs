// Publishes what was built: to the public registries, or to those of this machine by their settings.

import { spawnSync } from 'node:child_process';

/** @throws Error with all that the program printed. */
function run(env, program, ...args) {
  const options = { env: { ...process.env, ...env }, encoding: 'utf8' };
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? status}\n${stdout}${stderr}`);
}

/** The command comes last: what it depends on is there then. A version is published once and never replaced. */
export function publishNpm({ nats, sdk, server }, env = {}) {
  for (const tarball of [...nats, sdk, server])
    run(env, 'npm', 'publish', tarball, '--access=public', '--ignore-scripts', '--loglevel=error');
}

/** Credentials: TWINE_USERNAME, TWINE_PASSWORD. */
export function publishPython({ python }, twine, env = {}) {
  run(env, twine, 'check', '--strict', ...python);
  run(env, twine, 'upload', '--non-interactive', '--disable-progress-bar', ...python);
}
