/** Why a case does not pass. */

/** The worker did not do what the case says. */
export class Unfulfilled extends Error {}

/** The worker does not offer what the case is about, and need not. */
export class NotOffered extends Error {}
