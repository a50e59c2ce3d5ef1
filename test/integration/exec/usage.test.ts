/** Options that `muster worker exec` refuses before it calls any server. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeScratchFolder, removeFolder } from '../../support/base/replica.ts';
import { runMuster } from '../../support/cli/cli.ts';

let folder: string;

beforeAll(async () => {
  folder = await makeScratchFolder();
  const faulty = { handlers: { a: { comand: ['true'] }, b: { command: ['true'], memory: 'much' } } };
  writeFileSync(join(folder, 'faulty.yaml'), JSON.stringify(faulty));
  const unfit = { a: { command: ['true'], environment: { 'A=B': '1' } }, b: { command: ['true', '\0'] } };
  writeFileSync(join(folder, 'unfit.yaml'), JSON.stringify({ handlers: unfit }));
  writeFileSync(join(folder, 'good.yaml'), 'handlers: { a: { command: [cat] } }');
  writeFileSync(join(folder, 'plain'), '');
  chmodSync(join(folder, 'plain'), 0o644);
});

afterAll(() => removeFolder(folder));

it.concurrent.each([
  ['', /no handler is given\n {2}next +muster worker exec NAME -- COMMAND/],
  ['upper', /no command is given for the handler "upper"/],
  ['--handler a=cat a -- cat', /the handler "a" is given twice/],
  ['--handler a=cat|wc', /"\|" is special in a shell, and no shell is used here/],
  ['--file good.yaml --handler b=cat', /either on the command line or in --file/],
  ['--file good.yaml --grace 3s', /--grace does not go with --file/],
  ['--file faulty.yaml', /handlers\.a\.comand: is no field[\s\S]*handlers\.b\.memory: takes bytes/],
  ['--file unfit.yaml', /handler a: environment: "A=B" is not the name[\s\S]*handler b: a NUL character/],
  ['--file nowhere.yaml', /can't read nowhere\.yaml/],
  ['a -- ./missing', /handler a: there is no file "\.\/missing"/],
  ['a -- no-such-program', /handler a: there is no "no-such-program" in \//],
  ['a -- ./plain', /handler a: "\.\/plain" may not be executed: chmod \+x/],
  ['--directory nowhere a -- true', /handler a: there is no folder "nowhere"/],
  ['--slots 0 a -- true', /--slots.*It takes a whole number from 1 to 10000/],
  ['--grace 30d a -- true', /--grace.*It takes a span of at most 1h/],
  ['--exit-code 3=maybe a -- true', /It takes a code from 1 to 255/],
  ['--json a -- true', /muster worker exec takes no --json/],
])('%s is refused', { timeout: 120_000 }, async (args, why) => {
  const words = ['worker', 'exec', ...args.split(' ').filter(Boolean)];
  const { code, stdout, stderr } = await runMuster(words, { cwd: folder });
  expect(stderr).toMatch(why);
  expect([code, stdout]).toEqual([2, '']);
});
