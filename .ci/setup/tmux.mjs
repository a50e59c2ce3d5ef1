// tmux, a real terminal for the tests of the command line: the installed one, or the first of two other ways.

import { putStarter, systemPackage, unpackPackages } from './debian.mjs';
import { findOnPath, toolsBin } from './paths.mjs';
import { say } from './say.mjs';

// System libraries that it needs, in addition to the C library.
const LIBRARIES = ['libevent-core-2.1-7', 'libevent-core-2.1-7t64', 'libtinfo6', 'libutempter0'];

/** Each way puts a program at `ours`, or an installed one on the PATH, or throws with the reason why it cannot. */
const WAYS = [
  ["Debian's packages, unpacked into .tools", unpacked],
  ['the system package', () => systemPackage('tmux')],
];

export const tmux = {
  isReady() {
    return findOnPath('tmux', toolsBin) !== undefined || findOnPath('tmux') !== undefined;
  },

  async bring() {
    const failures = [];
    for (const [name, way] of WAYS) {
      try {
        say(`tmux is missing: trying ${name}`);
        await way();
        return;
      } catch (error) {
        failures.push(`- ${name}: ${error.message}`);
      }
    }
    throw new Error(explain(failures));
  },
};

async function unpacked() {
  await unpackPackages('tmux', ['tmux'], LIBRARIES);
  putStarter('tmux', 'tmux', '-V', /^tmux /);
}

function explain(failures) {
  return [
    'The tests of the command line need tmux, and none of the ways to get it worked:',
    '- on the PATH: there is no tmux',
    ...failures,
    'Put tmux on the PATH (brew install tmux, dnf install tmux) and try again.',
  ].join('\n');
}
