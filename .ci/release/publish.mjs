// Publishes what was built: to the public registries, or to those of this machine by their settings.

import { execFileSync } from 'node:child_process';

const run = (env, program, ...args) =>
  execFileSync(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });

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
