// Prometheus and its promtool, for the tests of dashboard and alert rules: the installed ones, or the first of two other ways.

import { putStarter, systemPackage, unpackPackages } from './debian.mjs';
import { findOnPath, toolsBin } from './paths.mjs';
import { say } from './say.mjs';

const PROGRAMS = ['prometheus', 'promtool'];

/** Each way puts the programs at `ours`, or installed ones on the PATH, or throws with the reason why it cannot. */
const WAYS = [
  ["Debian's package, unpacked into .tools", unpacked],
  ['the system package', () => systemPackage('prometheus')],
];

export const prometheus = {
  isReady() {
    return PROGRAMS.every((name) => (findOnPath(name, toolsBin) ?? findOnPath(name)) !== undefined);
  },

  async bring() {
    const failures = [];
    for (const [name, way] of WAYS) {
      try {
        say(`Prometheus is missing: trying ${name}`);
        await way();
        return;
      } catch (error) {
        failures.push(`- ${name}: ${error.message}`);
      }
    }
    throw new Error(explain(failures));
  },
};

/** It needs only the C library; the other dependencies of its package are for its web pages. */
async function unpacked() {
  await unpackPackages('prometheus', ['prometheus']);
  for (const name of PROGRAMS) putStarter('prometheus', name, '--version', new RegExp(`^${name}, version `));
}

function explain(failures) {
  return [
    'The tests of the monitoring files need Prometheus, and none of the ways to get it worked:',
    '- on the PATH: there is no prometheus, or no promtool beside it',
    ...failures,
    'Put both on the PATH (brew install prometheus, or https://prometheus.io/download/) and try again.',
  ].join('\n');
}
