/** `npm test -- --changed` chooses the test files that a change reaches, each with the way from the test to the change. */
import { describe, expect, it } from 'vitest';
import { choose } from '../../support/run/changed.ts';
import { allFiles, PYTHON } from '../../support/run/circles.ts';
import { namedBy, reaching, readReferences } from '../../support/run/references.ts';

const root = new URL('../../../', import.meta.url).pathname;
const references = readReferences(root);
const files = allFiles(root);

const chosenFor = (...changed: string[]) => choose(changed, references, files).map(({ file }) => file);

describe('the files that a source names', () => {
  const paths = ['server/a.ts', 'test/unit/b.ts', 'test/unit/c.test.ts', 'docs/cli.md', 'sdk/typescript/src/index.ts'];
  const folders = ['test/unit/', 'workers/demo/', 'test/'];
  const namedIn = (text: string) =>
    namedBy('test/unit/x.test.ts', text, (path) => [...paths, ...folders].includes(path));

  it.each([
    ["import { a } from '../../server/a.ts';", ['server/a.ts']],
    ["import type { A } from '../../server/a.ts';", []],
    ["import type {\n  A,\n} from '../../server/a.ts';\nconst b = import('./b.ts');", ['test/unit/b.ts']],
    ["import { Client } from '@muster-jobs/sdk';", ['sdk/typescript/src/index.ts']],
    ["new URL('../../workers/demo/', import.meta.url)", ['workers/demo/']],
    ["readGuide('cli.md')", ['docs/cli.md']],
    ["spawn('node', ['server/a.ts'])", ['server/a.ts']],
    // Another test, and a folder that contains the file itself.
    ["const other = './c.test.ts'; const here = '../../test';", []],
  ])('are found in %s', (text, named) => {
    expect(namedIn(text)).toEqual(named);
  });
});

describe('the files that reach another', () => {
  const some = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['folder/']],
    ['c.ts', ['a.ts', 'd.ts']],
  ]);

  it('include those on a way through other files and folders', () => {
    expect([...reaching(some, ['folder/in/x.sql'])]).toEqual([
      ['folder/in/x.sql', undefined],
      ['b.ts', 'folder/in/x.sql'],
      ['a.ts', 'b.ts'],
      ['c.ts', 'a.ts'],
    ]);
  });
});

describe('a change', () => {
  it('of a test chooses that test, and the rules of imports', () => {
    expect(chosenFor('test/unit/words/words.test.ts')).toEqual([
      'test/unit/words/words.test.ts',
      'test/unit/architecture.test.ts',
    ]);
  });

  it('of a pure module chooses its tests, with the way from each to the change', () => {
    const [first] = choose(['server/domain/schedules/cron.ts'], references, files);
    expect(first?.way.at(-1)).toBe('server/domain/schedules/cron.ts');
    expect(chosenFor('server/domain/schedules/cron.ts')).toContain('test/property/schedules/nominal-times.test.ts');
    expect(chosenFor('server/domain/schedules/cron.ts')).not.toContain('test/unit/words/words.test.ts');
  });

  it('of SQL chooses the tests of the store, of a page those that play it', () => {
    const sql = chosenFor('server/store/schema/0114_triggers.sql');
    expect(sql).toContain('test/integration/store/postgres-18.test.ts');
    expect(sql.every((file) => file.startsWith('test/integration/store/'))).toBe(true);
    expect(chosenFor('docs/cli.md')).toContain('test/integration/cli/base/guide.test.ts');
    expect(chosenFor('docs/cli.md')).not.toContain('test/integration/store/postgres-18.test.ts');
  });

  it('of the contract chooses its users in every language, of an SDK its own tests', () => {
    const proto = chosenFor('proto/muster/v1/job.proto');
    expect(proto).toContain('test/conformance/typescript.test.ts');
    expect(proto).toContain(PYTHON);
    expect(chosenFor('sdk/go/worker.go').sort()).toEqual([
      'test/conformance/go.test.ts',
      'test/conformance/planted-bugs-go.test.ts',
      'test/languages/go.test.ts',
    ]);
    expect(chosenFor('sdk/python/src/muster/client.py')).toContain(PYTHON);
  });

  it('of the set-up chooses everything, of a picture nothing', () => {
    expect(chosenFor('package-lock.json')).toEqual(files);
    expect(chosenFor('docs/nowhere.svg')).toEqual([]);
  });
});
