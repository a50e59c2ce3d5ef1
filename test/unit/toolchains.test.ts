/** A language is used when its programs exist and are new enough. The report names the found and the needed version. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { go, java, lackOf, rust, type Toolchain } from '../../workers/demo-polyglot/toolchains.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'muster-toolchains-'));
  vi.stubEnv('PATH', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function write(program: string, script: string): void {
  writeFileSync(join(folder, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** The missing part on a machine whose programs print the given texts. */
function lackWith(toolchain: Toolchain, says: Readonly<Record<string, string>>): string | undefined {
  for (const [program, words] of Object.entries(says)) write(program, `echo '${words}'`);
  return lackOf(toolchain);
}

it.each<[string, Toolchain, Record<string, string>]>([
  ['the oldest Go', go, { go: 'go version go1.25.0 linux/amd64' }],
  ['a newer Go', go, { go: 'go version go1.100.1 darwin/arm64' }],
  ['a custom Go build', go, { go: 'go version devel go1.27-1a2b3c4 Mon Jan 5 10:00:00 2026 linux/amd64' }],
  ['a candidate', go, { go: 'go version go1.25rc1 linux/amd64' }],
  [
    'the oldest Rust',
    rust,
    { cargo: 'cargo 1.89.0 (c24e10642 2025-06-23)', rustc: 'rustc 1.89.0 (29483883e 2025-08-04)' },
  ],
  ['a nightly Rust', rust, { cargo: 'cargo 1.97.0-nightly', rustc: 'rustc 1.97.0-nightly (1a2b3c4d5 2026-01-05)' }],
  [
    'the oldest Java',
    java,
    { mvn: 'Apache Maven 3.8.7\nJava version: 17.0.15, vendor: Debian', javac: 'javac 17.0.15' },
  ],
  [
    'a Java version without parts',
    java,
    { mvn: 'Apache Maven 4.0.0\nJava version: 26, vendor: Oracle', javac: 'javac 26-ea' },
  ],
])('the toolchain with %s is accepted', (_name, toolchain, says) => {
  expect(lackWith(toolchain, says)).toBeUndefined();
});

it.each<[Toolchain, Record<string, string>, string]>([
  [go, { go: 'go version go1.24.9 linux/amd64' }, 'go says "go version go1.24.9"'],
  [rust, { cargo: 'cargo 1.88.0 (873a06493 2025-05-10)' }, 'cargo says "cargo 1.88.0"'],
  [rust, { cargo: 'cargo 1.89.0', rustc: 'rustc 1.63.0' }, 'rustc says "rustc 1.63.0"'],
  [java, { mvn: 'Java version: 11.0.2, vendor: Oracle', javac: 'javac 21.0.1' }, 'mvn says "Java version: 11.0.2"'],
  [java, { mvn: 'Java version: 21.0.1, vendor: Debian', javac: 'javac 1.8.0_292' }, 'javac says "javac 1.8.0_292"'],
])('a toolchain of $language that is too old is named with its version', (toolchain, says, found) => {
  expect(lackWith(toolchain, says)).toBe(`${found}, which is too old; ${toolchain.language} needs ${toolchain.needed}`);
});

it.each<[Toolchain, Record<string, string>, string]>([
  [go, {}, 'go'],
  [rust, { cargo: 'cargo 1.89.0' }, 'rustc'],
  [java, { mvn: 'Java version: 17.0.1, vendor: Debian' }, 'javac'],
])('a toolchain of $language that does not exist is named', (toolchain, says, missing) => {
  expect(lackWith(toolchain, says)).toBe(
    `there is no ${missing} on the PATH; ${toolchain.language} needs ${toolchain.needed}`,
  );
});

it.each([
  ['fails', 'echo "no toolchain is\n chosen" >&2; exit 1', 'no toolchain is chosen'],
  ['prints something else', 'echo "what now?"', 'what now?'],
  ['ends without output', 'exit 3', 'exit 3, without output'],
])('a program that %s counts as missing, with its output', (_what, script, words) => {
  write('go', script);
  expect(lackOf(go)).toContain(`go does not report its version: ${words}`);
});

it('a program that does not answer in time or can not be started counts as missing', () => {
  write('go', 'echo "fetching a newer one" >&2; exec /bin/sleep 60');
  expect(lackOf(go, 2_000)).toContain(
    'go does not report its version: no answer within 2 s fetching a newer one; Go needs',
  );
  writeFileSync(join(folder, 'cargo'), '#!/there/is/no/such/shell\n', { mode: 0o755 });
  expect(lackOf(rust)).toMatch(/^cargo does not report its version: spawnSync .* ENOENT; Rust needs/);
});

it('a program is asked once', () => {
  write(
    'go',
    `echo >> ${join(folder, 'asked')}; echo 'go version go1.26.0 linux/amd64'; [ $(wc -l < ${join(folder, 'asked')}) = 1 ]`,
  );
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
  expect([lackOf(go), lackOf(go)]).toEqual([undefined, undefined]);
});
