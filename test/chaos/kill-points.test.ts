/**
 * The kill points: each is called at exactly one place of the server, and does nothing until it is armed and passed
 * often enough.
 */
import { globSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { armKillPoint, killPoint, killPoints } from '../../server/engine/base/kill-points.ts';

const root = new URL('../../', import.meta.url).pathname;

/** The number of kills after each of that many passings of a point. */
function killsAt(point: (typeof killPoints)[number], passings: number, killed: () => number): number[] {
  return Array.from({ length: passings }, () => {
    killPoint(point);
    return killed();
  });
}

describe('kill points', () => {
  afterEach(() => armKillPoint(`${killPoints[0]}:1`, () => {}));

  it.each(killPoints)('contain %s at exactly one place of the server', (point) => {
    const files = globSync('server/**/*.ts', { cwd: root }).filter((file) => !file.includes('server/gen/'));
    const places = files.filter((file) => readFileSync(`${root}${file}`, 'utf8').includes(`killPoint('${point}')`));
    expect(places).toHaveLength(1);
  });

  it('kill at the requested passing, and at no other point', () => {
    let kills = 0;
    armKillPoint('claim.after_commit_before_publish:3', () => kills++);
    expect(killsAt('submit.after_commit_before_reply', 5, () => kills)).toEqual([0, 0, 0, 0, 0]);
    expect(killsAt('claim.after_commit_before_publish', 4, () => kills)).toEqual([0, 0, 1, 1]);
  });

  it.each([
    '',
    'claim',
    'claim.after_commit_before_publish',
    'claim.after_commit_before_publish:0',
    'nowhere:1',
    'claim:x',
  ])('refuse the plan "%s"', (plan) => {
    expect(() => armKillPoint(plan, () => {})).toThrow('is no kill point');
  });
});
