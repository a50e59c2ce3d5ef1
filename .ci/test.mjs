// Runs the tests, with the tools that they need and no others. `npm test -- --help` shows what can be run.
//
// Runs on Node 20 and later; the tests themselves run on the Node of the set-up.

import { runCommand } from './setup/command.mjs';
import { root } from './setup/paths.mjs';

const args = process.argv.slice(2);
const paths = args.filter((arg) => !arg.startsWith('-'));

/** These start no server, and need Node and its modules only. */
const isLight = (path) => /^(\.\/)?test\/(unit|property)(\/|$)/.test(path);
const needsNodeOnly = args[0] === '--help' || (!args[0]?.startsWith('-') && paths.length > 0 && paths.every(isLight));

process.chdir(root);
const setUp = ['.ci/setup.mjs', needsNodeOnly ? '--node' : '--tests'];
await runCommand([process.execPath, ...setUp, '--', 'node', 'test/support/run/main.ts', ...args]);
