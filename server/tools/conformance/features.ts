/** What a worker need not offer. It does unless it is said to do without. */

export const features = ['children', 'content-types', 'many-slots'] as const;
export type Feature = (typeof features)[number];
