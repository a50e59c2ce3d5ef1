/** What the kit sees of a busy machine: its own lateness, and a worker that waits for a processor. */
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { OwnLateness } from '../../../server/tools/conformance/clocks/own-lateness.ts';
import { ProcessorWait } from '../../../server/tools/conformance/clocks/processor-wait.ts';
import { disturbanceText } from '../../../server/tools/conformance/disturbance.ts';
import { eventually } from '../../support/eventually.ts';
import { FakeClock } from './fake-clock.ts';

describe('the lateness of the kit', () => {
  it('is none while its ticks come in time', () => {
    const clock = new FakeClock();
    const lateness = new OwnLateness(clock);
    clock.pass(2_000);
    expect(lateness.worstMs).toBe(0);
  });

  it('is that of the latest tick, and stays when others come in time', () => {
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

  it('is seen also before the tick that is late has come', () => {
    const clock = new FakeClock();
    const lateness = new OwnLateness(clock);
    clock.block(450);
    expect(lateness.worstMs).toBe(400);
  });

  it('is measured no more after the end', () => {
    const clock = new FakeClock();
    new OwnLateness(clock).close();
    expect(clock.timers).toBe(0);
  });

  it('is that of a loop that is really blocked', () => {
    const lateness = new OwnLateness();
    const end = performance.now() + 350;
    while (performance.now() < end);
    expect(lateness.worstMs).toBeGreaterThanOrEqual(299);
    lateness.close();
  });
});

describe('the wait of a worker for a processor', () => {
  const waits = new Map<string, number>();
  const waiting = (pid = (): number | undefined => 7) => {
    waits.clear();
    const clock = new FakeClock();
    const wait = new ProcessorWait(pid, clock, () => new Map(waits));
    return { clock, wait };
  };

  it('is the most within a second, by the thread that waited longest', () => {
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

  it('leaves out what was before', () => {
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

  it('is none of a worker that is not looked at yet, or that has ended', () => {
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
    ['one that it has started', `(${burns}) & wait`],
  ])('is told by the kernel of %s that shares its processor', async (_, command) => {
    // Groups of their own: what the shells have started ends with them.
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

describe('what is told of a disturbance', () => {
  it('is nothing where neither was more than cases allow for', () => {
    expect(disturbanceText(200, 250)).toBeUndefined();
  });

  it('is what was seen, with the time', () => {
    expect(disturbanceText(640.4, 0)).toBe("the kit's own loop was 640 ms late");
    expect(disturbanceText(0, 512.6)).toBe('the worker waited 513 ms within a second for a processor');
    expect(disturbanceText(201, 251)).toMatch(/own loop was 201 ms late, the worker waited 251 ms/);
  });
});
