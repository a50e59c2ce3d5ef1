/** The small parts of the core, and its purity. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import packageJson from '../../../sdk/typescript/package.json' with { type: 'json' };
import { Alarm } from '../../../sdk/typescript/src/worker/core/base/alarm.ts';
import { attemptKey } from '../../../sdk/typescript/src/worker/core/base/attempt-key.ts';
import { Fifo } from '../../../sdk/typescript/src/worker/core/base/fifo.ts';
import { CompletionRate } from '../../../sdk/typescript/src/worker/core/dispatch/completion-rate.ts';
import { SDK } from '../../../sdk/typescript/src/worker/sdk-version.ts';
import { VirtualTime } from './support/virtual-time.ts';

const CORE = new URL('../../../sdk/typescript/src/worker/core/', import.meta.url);

const coreFiles = readdirSync(CORE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => [basename(file), file] as const);

test.each(coreFiles)('%s uses no I/O, clock, timer or random source of its own', (_name, file) => {
  const source = readFileSync(new URL(file, CORE), 'utf8');
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  const impure =
    /'node:|@grpc|@nats-io|\bDate\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b|Math\.random|\bprocess\b|\bperformance\b|\bBuffer\b|\bcrypto\b/;
  expect(code.match(impure)?.[0]).toBeUndefined();
  const imports = [...code.matchAll(/from '([^']+)'/g)].map(([, path]) => path ?? '');
  const allowed =
    /^\.\/|^\.\.\/(base|dispatch|sessions)\/|^\.\.\/\.\.\/\.\.\/(gen\/|duration\.ts|error\.ts|logger\.ts)/;
  expect(imports.filter((path) => !allowed.test(path))).toEqual([]);
});

test('the version that the worker reports is that of the package', () => {
  expect(SDK.version).toBe(packageJson.version);
});

test('a key identifies one id and one attempt', () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(id, id, fc.nat(), fc.nat(), (a, b, n, m) => {
      const same = Buffer.compare(a, b) === 0 && n === m;
      expect(attemptKey(a, n) === attemptKey(b, m)).toBe(same);
      expect(attemptKey(a, n)).toBe(attemptKey(a.slice(), n));
    }),
  );
});

test('a queue returns its items in order', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 5_000 }), (pushes) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      const [seen, wanted]: [unknown[], unknown[]] = [[], []];
      pushes.forEach((push, i) => {
        if (push) {
          fifo.push(i);
          model.push(i);
        } else {
          seen.push(fifo.shift());
          wanted.push(model.shift());
        }
        seen.push(fifo.size, fifo.peek());
        wanted.push(model.length, model[0]);
      });
      expect(seen).toStrictEqual(wanted);
    }),
  );
});

test('a long queue does not keep items that have left it', () => {
  const fifo = new Fifo<number>();
  for (let i = 0; i < 10_000; i++) fifo.push(i);
  const all = Array.from({ length: 10_000 }, (_, i) => i);
  expect(all.map(() => fifo.shift())).toEqual(all);
  expect([fifo.size, fifo.shift()]).toEqual([0, undefined]);
});

test('the rate counts attempts that ended in the last 200 ms, in steps of 20 ms', () => {
  const rate = new CompletionRate();
  rate.add(1_000, 3);
  rate.add(1_100, 2);
  expect([rate.recent(1_100), rate.recent(1_199), rate.recent(1_200), rate.recent(1_299), rate.recent(1_300)]).toEqual([
    5, 5, 2, 2, 0,
  ]);
  rate.add(9_000, 1);
  expect([rate.recent(9_000), rate.recent(90_000)]).toEqual([1, 0]);
});

describe('an alarm', () => {
  const ringing = () => {
    const time = new VirtualTime();
    const rings: number[] = [];
    const start = time.now();
    const alarm = new Alarm(time, time, () => rings.push(time.now() - start));
    return { time, alarm, rings, at: (ms: number) => start + ms };
  };

  test('rings once, at the earliest requested time', async () => {
    const { time, alarm, rings, at } = ringing();
    alarm.by(at(300));
    alarm.by(at(100));
    alarm.by(at(200));
    await time.advance(1_000);
    expect(rings).toEqual([100]);
    expect(time.pending).toBe(0);
  });

  test('can be moved to a later time, and cancelled', async () => {
    const { time, alarm, rings, at } = ringing();
    alarm.by(at(100));
    alarm.set(at(400));
    await time.advance(500);
    expect(rings).toEqual([400]);
    alarm.by(at(600));
    alarm.cancel();
    await time.advance(500);
    expect(rings).toEqual([400]);
  });

  test('rings at once when it is due already, and early when it is due in weeks', async () => {
    const { time, alarm, rings, at } = ringing();
    alarm.by(at(-50));
    await time.advance(0);
    expect(rings).toEqual([0]);
    alarm.by(at(30 * 24 * 3_600_000));
    await time.advance(3_600_000);
    expect(rings).toEqual([0, 3_600_000]);
  });
});
