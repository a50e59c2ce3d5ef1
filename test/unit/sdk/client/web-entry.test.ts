/** The entry for browsers: it needs nothing of Node, and has what the main entry has, except workers. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import * as main from '../../../../sdk/typescript/src/index.ts';
import * as web from '../../../../sdk/typescript/src/web.ts';

const root = new URL('../../../../', import.meta.url);
const source = new URL('sdk/typescript/src/', root);

/** Names that an entry exports, types included. */
function namesOf(entry: string): string[] {
  const text = readFileSync(new URL(entry, source), 'utf8');
  return [...text.matchAll(/^export (?:type )?\{([^}]+)\} from '([^']+)';$/gm)].flatMap(([, names = '', file = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => `${file.startsWith('./worker/') || file === './logger.ts' ? 'worker' : 'client'} ${name}`),
  );
}

describe('the web entry', () => {
  test('bundles for browsers, and imports nothing of Node', async () => {
    const { metafile, warnings } = await build({
      entryPoints: [new URL('web.ts', source).pathname],
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      absWorkingDir: root.pathname,
      external: ['node:*'],
    });
    expect(warnings).toEqual([]);
    const imported = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
      imports
        .filter(({ path, external }) => external || path.startsWith('node:'))
        .map(({ path }) => `${file}: ${path}`),
    );
    expect(imported).toEqual([]);
    const files = Object.keys(metafile.inputs);
    expect(files.filter((file) => /@grpc|@nats-io|src\/worker\/(?!sdk-version)/.test(file))).toEqual([]);
    const ours = files.filter((file) => file.startsWith('sdk/typescript/'));
    expect(ours.length).toBeGreaterThan(50);
    const ofNode = /\b(Buffer|process|setImmediate|AsyncLocalStorage|require)\b(\.\w|\()/;
    expect(ours.filter((file) => ofNode.test(readFileSync(new URL(file, root), 'utf8')))).toEqual([]);
  });

  test('exports what the main entry does, except workers', () => {
    const wanted = namesOf('index.ts').filter((name) => name.startsWith('client '));
    expect(namesOf('web.ts').sort()).toEqual(wanted.sort());
    expect(wanted.length).toBeGreaterThan(80);
    expect(Object.keys(main)).toEqual(expect.arrayContaining(Object.keys(web)));
    expect(web.MusterError).toBe(main.MusterError);
  });

  test.each(['127.0.0.1:7080', 'localhost', 'dns:///muster:7070', ''])('refuses the address "%s"', (address) => {
    const message = `address: "${address}" is no URL of Muster's HTTP port: write one, such as http://127.0.0.1:7080`;
    expect(() => new web.Client({ address })).toThrow(new TypeError(message));
  });
});
