/** A PostgreSQL at an address that moves to its standby, or to a restored backup. */
import { type Backup, type Primary, type Standby, startPrimary } from '../../../support/base/standby.ts';
import type { ServerOptions } from '../../../support/databases/postgres.ts';
import { TcpProxy } from '../network/tcp-proxy.ts';

export class MovingDatabase {
  readonly #address: TcpProxy;
  #primary: Primary;

  private constructor(address: TcpProxy, primary: Primary) {
    this.#address = address;
    this.#primary = primary;
    address.aim(primary.port);
  }

  static async start(options: ServerOptions): Promise<MovingDatabase> {
    return new MovingDatabase(await TcpProxy.open(), await startPrimary(options));
  }

  /** Creates an empty database and returns its URL. */
  async createDatabase(): Promise<string> {
    const url = new URL(await this.#primary.createDatabase());
    return Object.assign(url, { port: String(this.#address.port) }).href;
  }

  /** Makes a standby for which commits wait. After `work` the primary is killed, and the standby promoted. */
  async failOver(work: () => Promise<void>): Promise<void> {
    const old = this.#primary;
    const standby = await old.makeStandby('sync');
    this.#primary = standby;
    try {
      await work();
      await this.#move(old, standby);
    } finally {
      await old.stop();
    }
  }

  makeBackup(): Promise<Backup> {
    return this.#primary.makeBackup();
  }

  /** The primary is killed. Resolves when the address leads to the restored backup. */
  async restore(backup: Backup): Promise<void> {
    const old = this.#primary;
    await old.kill();
    this.#address.aim(undefined);
    this.#address.cut();
    this.#primary = await backup.restore();
    await old.stop();
    this.#address.aim(this.#primary.port);
  }

  /**
   * Makes a standby for which commits do not wait, and which follows no longer before `work`. Then the primary is killed,
   * and the standby promoted. Resolves with the moment (ms since 1970) before which nothing is lost.
   */
  async loseTail(work: () => Promise<void>): Promise<number> {
    const old = this.#primary;
    const standby = await old.makeStandby('async');
    this.#primary = standby;
    try {
      const from = Date.now();
      await standby.catchUp();
      await standby.detach();
      await work();
      await this.#move(old, standby);
      return from;
    } finally {
      await old.stop();
    }
  }

  async #move(old: Primary, standby: Standby): Promise<void> {
    await old.kill();
    await standby.promote();
    this.#address.aim(standby.port);
    this.#address.cut();
  }

  async stop(): Promise<void> {
    await this.#address.close();
    await this.#primary.stop();
  }
}
