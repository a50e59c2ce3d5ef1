// Installs what the peers need beyond Muster's own needs, then runs the given command:
//
//   node test/bench/peers/setup.mjs command [argument...]
//
// Everything goes into node_modules and .tools of this folder. What can't be installed is reported, and recorded with
// the reason in .tools/reasons.json; the peers that need it do not run.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../../.ci/setup/command.mjs';
import { withLock } from '../../../.ci/setup/lock.mjs';
import { say } from '../../../.ci/setup/say.mjs';
import { go } from './setup/go.mjs';
import { packages } from './setup/packages.mjs';
import { here, tools } from './setup/places.mjs';
import { python } from './setup/python.mjs';
import { redis } from './setup/redis.mjs';

const steps = { packages, redis, go, python };
const missing = () => Object.entries(steps).filter(([, step]) => !step.isReady());

async function bring() {
  const reasons = {};
  for (const [name, step] of missing()) {
    try {
      say(`for the peers of the bench: ${step.what}`);
      await step.bring();
    } catch (error) {
      reasons[name] = error.message;
      say(`${name}: ${error.message}\nThe peers that need it are not run.`);
    }
  }
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'reasons.json'), JSON.stringify(reasons));
}

if (missing().length > 0) await withLock(bring);
process.chdir(join(here, '..', '..', '..'));
await runCommand(process.argv.slice(2));
