/** What this SDK calls itself. A test compares the version with the package's. */

export const SDK = { name: 'muster-typescript', version: '0.1.0' } as const;

/** The protocol that it speaks with the control plane. */
export const PROTOCOL_VERSION = 1;
