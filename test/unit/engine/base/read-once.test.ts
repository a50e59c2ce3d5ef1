/** Values that are read once: a burst of callers costs one read, and a failure is not kept. */
import { describe, expect, it, vi } from 'vitest';
import { readOnce } from '../../../../server/engine/base/read-once.ts';

describe('a value that is read once', () => {
  it('is read once for callers at the same time and later', async () => {
    const read = vi.fn(async () => 7);
    const get = readOnce(read);
    expect(await Promise.all([get(), get(), get()])).toEqual([7, 7, 7]);
    expect(await get()).toBe(7);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is read again after a failure', async () => {
    const read = vi.fn(async () => 7).mockRejectedValueOnce(new Error('no'));
    const get = readOnce(read);
    await expect(Promise.all([get(), get()])).rejects.toThrow('no');
    expect(await get()).toBe(7);
    expect(read).toHaveBeenCalledTimes(2);
  });
});
