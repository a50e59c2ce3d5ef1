/** What the engine and the store tell each other of jobs that take amounts of their session's resources. */
/** What a claim has seen of the sessions whose places it was given. */
export interface CapacityResult {
  /** They have no room for one more job of the lane. */
  readonly exhausted: readonly string[];
  /** Somebody else was at them, or they are not open any more. */
  readonly missed: readonly string[];
  /** There is no ready job left that room would be of use for. */
  readonly dry: boolean;
}

export interface DemandStore {
  /** Lanes that have asked for room wait on, where their jobs are ready. */
  renewReservations(): Promise<void>;
}
