/** The metrics page is rendered at most once a second, however many ask for it. */
import { beforeEach, expect, it } from 'vitest';
import { MetricsPage } from '../../../server/telemetry/metrics/prometheus.ts';
import { settle, VirtualTime } from '../engine/base/virtual-time.ts';

let time: VirtualTime;
let made: number;
let finish: (how: 'well' | 'badly') => void;
let page: MetricsPage;

beforeEach(() => {
  time = new VirtualTime();
  made = 0;
  const text = () => {
    const n = ++made;
    return new Promise<string>((resolve, reject) => {
      finish = (how) => (how === 'well' ? resolve(`page ${n}`) : reject(new Error('broken')));
    });
  };
  page = new MetricsPage({ text }, time);
});

it('the page is shared by callers during its rendering and for a second after it', async () => {
  const [first, second] = [page.read(), page.read()];
  await time.advance(5_000);
  const third = page.read();
  finish('well');
  expect(await Promise.all([first, second, third])).toEqual(['page 1', 'page 1', 'page 1']);
  await time.advance(999);
  expect(await page.read()).toBe('page 1');
  await time.advance(1);
  const next = page.read();
  finish('well');
  expect(await next).toBe('page 2');
});

it('a page that could not be rendered is rendered again a second later', async () => {
  const broken = page.read();
  finish('badly');
  await expect(broken).rejects.toThrow('broken');
  await settle();
  await time.advance(1_000);
  const next = page.read();
  finish('well');
  expect(await next).toBe('page 2');
  expect(made).toBe(2);
});
