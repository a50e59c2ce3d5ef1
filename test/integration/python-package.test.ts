/** The wheel as users install it: in an empty environment, without the checkout, it runs jobs and has types. */
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeScratchFolder, removeFolder, startTestReplica } from '../support/base/replica.ts';

const root = new URL('../../', import.meta.url).pathname;
const sdk = join(root, 'sdk/python');
let folder: string;
let python: string;
let wheel: string;

/** The path of a project's build. */
function built(project: string, target: 'sdist' | 'wheel'): string {
  const into = mkdtempSync(join(folder, `${target}-`));
  const args = ['-m', 'hatchling', 'build', '--target', target, '--directory', into];
  execFileSync('python', args, { cwd: project, stdio: 'pipe' });
  const [name = ''] = readdirSync(into);
  return join(into, name);
}

beforeAll(async () => {
  folder = await makeScratchFolder();
  wheel = built(sdk, 'wheel');
  const environment = join(folder, 'environment');
  execFileSync('python', [join(sdk, 'tests/support/empty_environment.py'), environment, wheel]);
  python = join(environment, 'bin/python');
}, 300_000);

afterAll(() => removeFolder(folder));

const namesIn = (wheel: string) =>
  execFileSync('python', ['-m', 'zipfile', '--list', wheel], { encoding: 'utf8' })
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ')[0]);

it('the source distribution builds the same wheel', () => {
  const archive = built(sdk, 'sdist');
  const unpacked = join(folder, 'unpacked');
  execFileSync('python', ['-m', 'tarfile', '--extract', archive, unpacked]);
  const [project = ''] = readdirSync(unpacked);
  expect(namesIn(built(join(unpacked, project), 'wheel'))).toEqual(namesIn(wheel));
});

describe('the installed wheel', () => {
  it('is complete, and contains no tests', () => {
    const list = 'import importlib.metadata as m; print(*m.files("muster-jobs"), sep="\\n")';
    const files = execFileSync(python, ['-I', '-c', list], { encoding: 'utf8' }).trim().split('\n');
    expect(files).toEqual(expect.arrayContaining(['muster/py.typed', 'muster/v1/job_pb2.pyi', 'muster/testing.py']));
    expect(files.some((file) => file.endsWith('LICENSE'))).toBe(true);
    expect(files.filter((file) => /tests?\//.test(file))).toEqual([]);
    const about = 'import importlib.metadata as m; print(m.metadata("muster-jobs"))';
    const metadata = execFileSync(python, ['-I', '-c', about], { encoding: 'utf8' });
    expect(metadata).toMatch(/^License-Expression: Apache-2\.0$/m);
    expect(metadata).toMatch(/^Description-Content-Type: text\/markdown\n[\s\S]*^# Muster for Python$/m);
  });

  it('provides types to type checkers', () => {
    copyFileSync(join(sdk, 'tests/typing/consumer.py'), join(folder, 'consumer.py'));
    const mypy = join(root, '.tools/python-tools/bin/mypy');
    const cache = join(folder, 'mypy');
    const args = ['--strict', '--cache-dir', cache, '--python-executable', python, 'consumer.py'];
    expect(execFileSync(mypy, args, { cwd: folder, encoding: 'utf8' })).toMatch(/^Success/);
  });

  it('runs jobs in threads, in an event loop, and in processes', async () => {
    const replica = await startTestReplica();
    const script = `import muster
from muster import Client, Worker
from muster.v1.job_pb2 import Progress

worker = Worker("${replica.grpcAddress}", name="wheel", slots=2)


@worker.handler("add")
def add(ctx, numbers: list[int]) -> int:
    return sum(numbers)


@worker.handler("negate")
async def negate(ctx, number: int) -> int:
    return -number


@worker.handler("square", process=True)
def square(ctx, number: int) -> int:
    return number**2


@worker.handler("halve")
def halve(ctx, progress: Progress) -> Progress:
    return Progress(fraction=progress.fraction / 2)


if __name__ == "__main__":
    worker.start()
    with Client("${replica.grpcAddress}") as client:
        for name, value in (("add", [2, 3]), ("negate", 5), ("square", 5)):
            client.apply_definition(name)
            print(client.result(client.submit(name, value)))
        client.apply_definition("halve", input_type=Progress, output_type=Progress)
        print(client.result(client.submit("halve", Progress(fraction=0.5)), as_type=Progress).fraction)
    worker.stop()
    worker.wait()
    print(muster.__file__)
`;
    writeFileSync(join(folder, 'job.py'), script);
    try {
      const { stdout } = await promisify(execFile)(python, ['-I', 'job.py'], { cwd: folder, timeout: 110_000 });
      const [sum, negative, squared, half, path] = stdout.split('\n');
      expect([sum, negative, squared, half]).toEqual(['5', '-5', '25', '0.25']);
      expect(path).toContain(join(folder, 'environment'));
    } finally {
      await replica.stop();
    }
  });
});
