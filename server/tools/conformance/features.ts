/** Optional features of a worker. It must support each one unless it is declared missing. */

export const features = ['children', 'content-types', 'many-slots', 'suspend'] as const;
export type Feature = (typeof features)[number];
