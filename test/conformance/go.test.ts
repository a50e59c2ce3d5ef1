/** The Go SDK speaks the protocol: its worker passes every case of `muster conformance`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { go } from '../support/toolchains.ts';
import { conformsOnceBuilt } from './support/built.ts';

const folder = mkdtempSync(join(tmpdir(), 'muster-go-worker-'));
const worker = join(folder, 'worker');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

conformsOnceBuilt(go, { folder: 'workers/conformance-go', command: ['go', 'build', '-o', worker, '.'] }, [worker]);
