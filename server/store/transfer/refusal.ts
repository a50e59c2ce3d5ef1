/** An obstacle to an export or import. Its message says what to do. Nothing was changed. */
export class TransferRefusal extends Error {
  override readonly name: string = 'TransferRefusal';
}
