/** The Go SDK implements the protocol: its worker passes every case of `muster conformance`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { go } from '../support/run/toolchains.ts';
import { conformsOnceBuilt } from './support/built.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-go-worker-'));
const worker = join(folder, 'worker');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const build = { folder: 'workers/conformance-go', command: ['go', 'build', '-o', worker, '.'] } as const;
const clockOfKernel =
  'a Go program asks the kernel for the time, past any preload; the time that it gets has the monotonic clock in it';

conformsOnceBuilt(go, build, [worker], { unplayable: { 'wall-clock-jumps': clockOfKernel } });
