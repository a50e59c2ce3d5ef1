/** How the kit detects a busy machine: by its own lateness, and by the time a worker waits for a processor. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { OwnLateness } from '../../../server/tools/conformance/clocks/own-lateness.ts';
import { ProcessorWait } from '../../../server/tools/conformance/clocks/processor-wait.ts';
import { disturbanceText } from '../../../server/tools/conformance/disturbance.ts';
import { eventually } from '../../support/base/eventually.ts';
import { FakeClock } from './fake-clock.ts';

describe('the lateness of the kit', () => {
  it('is zero while its ticks are on time', () => {
    const clock = new FakeClock();
    const lateness = new OwnLateness(clock);
    clock.pass(2_000);
    expect(lateness.worstMs).toBe(0);
  });

  it('is that of the latest tick, and remains when later ticks are on time', () => {
    const clock = new FakeClock();
    const lateness = new OwnLateness(clock);
    clock.pass(100);
    clock.block(690);
    clock.ring();
    clock.pass(1_000);
    clock.block(250);
    clock.ring();
    expect(lateness.worstMs).toBe(640);
  });

  it('includes a tick that is due but has not come yet', () => {
    const clock = new FakeClock();
    const lateness = new OwnLateness(clock);
    clock.block(450);
    expect(lateness.worstMs).toBe(400);
  });

  it('is no longer measured after close', () => {
    const clock = new FakeClock();
    new OwnLateness(clock).close();
    expect(clock.timers).toBe(0);
  });

  it('shows a loop that is really blocked', () => {
    const lateness = new OwnLateness();
    const end = performance.now() + 350;
    while (performance.now() < end);
    expect(lateness.worstMs).toBeGreaterThanOrEqual(299);
    lateness.close();
  });
});

describe('the processor wait of a worker', () => {
  const waits = new Map<string, number>();
  const waiting = (pid = (): number | undefined => 7) => {
    waits.clear();
    const clock = new FakeClock();
    const wait = new ProcessorWait(pid, clock, () => new Map(waits));
    return { clock, wait };
  };

  it('is the largest within a second, of the thread that waited longest', () => {
    const { clock, wait } = waiting();
    waits.set('1', 100).set('2', 40);
    clock.pass(250);
    waits.set('1', 130).set('2', 290);
    clock.pass(250);
    expect(wait.worstMs).toBe(350);
    clock.pass(2_000);
    waits.set('1', 200);
    clock.pass(250);
    expect(wait.worstMs).toBe(350);
  });

  it('does not count time before the measurement began', () => {
    waits.clear();
    waits.set('1', 9_000);
    const clock = new FakeClock();
    const wait = new ProcessorWait(
      () => 7,
      clock,
      () => new Map(waits),
    );
    waits.set('1', 9_020);
    clock.pass(250);
    expect(wait.worstMs).toBe(20);
  });

  it('is zero for a worker that has not been read yet or has ended', () => {
    let pid: number | undefined;
    const { clock, wait } = waiting(() => pid);
    waits.set('1', 500);
    clock.pass(500);
    pid = 7;
    clock.pass(250);
    expect(wait.worstMs).toBe(0);
    waits.set('1', 560).set('2', 70);
    clock.pass(250);
    expect(wait.worstMs).toBe(70);
    waits.clear();
    clock.pass(1_000);
    expect(wait.worstMs).toBe(70);
    wait.close();
    expect(clock.timers).toBe(0);
  });

  const burns = `exec taskset -c 0 ${process.execPath} -e 'for(const end = Date.now() + 20_000; Date.now() < end;);'`;

  it.runIf(process.platform === 'linux').each([
    ['a process', burns],
    ['its child process', `(${burns}) & wait`],
  ])('is read from the kernel for %s that shares its processor', async (_, command) => {
    // Each gets its own process group, so that the children of the shells end too.
    const workers = [command, burns].map((one) => spawn('sh', ['-c', one], { detached: true, stdio: 'ignore' }));
    const wait = new ProcessorWait(() => workers[0]?.pid);
    try {
      await eventually('it has waited', () => wait.worstMs > 100);
    } finally {
      wait.close();
      for (const { pid } of workers) if (pid) process.kill(-pid, 'SIGKILL');
    }
  });
});

describe('the text on a disturbance', () => {
  it('is absent when both values are within what cases tolerate', () => {
    expect(disturbanceText(200, 250)).toBeUndefined();
  });

  it('gives what was seen, with the time', () => {
    expect(disturbanceText(640.4, 0)).toBe("the kit's own loop was 640 ms late");
    expect(disturbanceText(0, 512.6)).toBe('the worker waited 513 ms within a second for a processor');
    expect(disturbanceText(201, 251)).toMatch(/own loop was 201 ms late, the worker waited 251 ms/);
  });
});
