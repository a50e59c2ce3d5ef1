/** Name and version of this SDK. A test compares the version with the package's. */

export const SDK = { name: 'muster-typescript', version: '0.1.0' } as const;

/** Version of the worker protocol. */
export const PROTOCOL_VERSION = 1;
