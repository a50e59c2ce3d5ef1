/** Which keys a claim found exhausted, and when that is forgotten. */
import { describe, expect, it } from 'vitest';
import { Exhausted, nextMoment } from '../../../../server/engine/dispatch/exhausted.ts';

describe('a key that a claim found exhausted', () => {
  it('stays so until something is released', () => {
    const exhausted = new Exhausted<string>();
    expect(exhausted.release()).toBe(false);
    expect(exhausted.mark('a', nextMoment())).toBe(true);
    expect([exhausted.has('a'), exhausted.has('b')]).toEqual([true, false]);
    expect(exhausted.release()).toBe(true);
    expect(exhausted.has('a')).toBe(false);
  });

  it('is not marked by a claim that began before the last release', () => {
    const exhausted = new Exhausted<string>();
    const began = nextMoment();
    exhausted.release();
    expect(exhausted.mark('a', began)).toBe(false);
    expect(exhausted.has('a')).toBe(false);
  });
});
