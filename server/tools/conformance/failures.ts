/** Reasons why a case does not pass. */

/** The worker did not meet an expectation of the case. */
export class Unfulfilled extends Error {}

/** The worker does not support the optional feature that the case is about. */
export class NotOffered extends Error {}
