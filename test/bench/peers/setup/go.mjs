// The program of the peers in Go, built from locked modules.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../../../../.ci/setup/paths.mjs';
import { run } from '../../../../.ci/setup/run.mjs';
import { here, stamp, tools } from './places.mjs';

const SECONDS = 900;
const program = join(tools, 'go-peers');
const sources = ['go.mod', 'go.sum', 'main.go', 'producing.go', 'working.go', 'river.go', 'asynq.go'];
const current = stamp('go', ...sources.map((name) => `adapters/go/${name}`));

export const go = {
  what: 'River and Asynq (go build)',
  isReady: () => current.isCurrent() && existsSync(program),
  async bring() {
    const go = findOnPath('go') ?? findOnPath('go', '/usr/local/go/bin');
    if (go === undefined) throw new Error('there is no go on the PATH: https://go.dev/dl has it');
    const env = { CGO_ENABLED: '0', GOFLAGS: '' };
    await run(go, ['build', '-o', program, '.'], { seconds: SECONDS, cwd: join(here, 'adapters/go'), env });
    current.write();
  },
};
