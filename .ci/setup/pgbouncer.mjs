// PgBouncer, a pooler of connections to PostgreSQL, for its tests: the installed one, or Debian's package. Where neither is
// to be had, those tests are left out, and the first set-up says why.

import { putStarter, unpackPackages } from './debian.mjs';
import { findOnPath, readStamp, toolsBin, writeStamp } from './paths.mjs';
import { say } from './say.mjs';

// System libraries that it needs, in addition to the C library and OpenSSL.
const LIBRARIES = ['libevent-2.1-7', 'libevent-2.1-7t64', 'libcares2', 'libc-ares2'];
const STAMP = 'pgbouncer';

export const pgbouncer = {
  isReady() {
    return hasIt() || readStamp(STAMP) !== '';
  },

  async bring() {
    say("PgBouncer is missing: trying Debian's packages, unpacked into .tools");
    try {
      await unpackPackages('pgbouncer', ['pgbouncer'], LIBRARIES);
      putStarter('pgbouncer', 'pgbouncer', '--version', /PgBouncer /, 'sbin');
    } catch (error) {
      say(`PgBouncer is not to be had, its tests are left out (${error.message})`);
      writeStamp(STAMP, 'not to be had');
    }
  },
};

function hasIt() {
  return findOnPath('pgbouncer', toolsBin) !== undefined || findOnPath('pgbouncer') !== undefined;
}
