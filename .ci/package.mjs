#!/usr/bin/env node
// Builds what npm and pip install: the command with its control plane, the TypeScript SDK, the nats-server of this
// platform, and the Python SDK's wheel.
//
//   node .ci/package.mjs [folder]     writes the packages there; default: dist

import { resolve } from 'node:path';
import { packNatsServer, packNpm } from './release/npm.mjs';
import { thisPlatform } from './release/platforms.mjs';
import { buildWheel } from './release/python.mjs';
import { findOnPath } from './setup/paths.mjs';

const folder = resolve(process.argv[2] ?? 'dist');
const print = (path) => process.stdout.write(`${path}\n`);

print(buildWheel(folder));
const binary = findOnPath('nats-server');
print(await packNatsServer({ platform: thisPlatform(), binary, destination: folder }));
for (const path of await packNpm(folder)) print(path);
