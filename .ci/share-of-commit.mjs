// Prints the number of the share that CI runs for this commit: the number of commits modulo that of shares.
//
// Without a history, such as in an unpacked archive, it is the first.

import { execFileSync } from 'node:child_process';
import { SHARES } from '../test/support/run/shares.ts';

function commits() {
  try {
    return Number(execFileSync('git', ['rev-list', '--count', 'HEAD'], { encoding: 'utf8' }));
  } catch {
    return 0; // git has said why
  }
}

console.log((commits() % SHARES) + 1);
