/** What stands in the way of an export or import; its message says what to do. Nothing was changed. */
export class TransferRefusal extends Error {
  override readonly name: string = 'TransferRefusal';
}
