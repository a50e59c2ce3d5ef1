/**
 * The languages of SDKs that a machine may lack. What needs one is left out there, and its name says why; with CI=true nothing is left
 * out: it fails.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

export interface Toolchain {
  readonly language: string;
  readonly program: string;
  /** What to install. */
  readonly needed: string;
}

export const go: Toolchain = { language: 'Go', program: 'go', needed: 'Go 1.25 or newer, https://go.dev/dl' };
export const rust: Toolchain = { language: 'Rust', program: 'cargo', needed: 'Rust, https://rustup.rs' };
export const java: Toolchain = { language: 'Java', program: 'mvn', needed: 'a JDK of version 17 or newer, and Maven' };

/** As `describe`, where the machine has the language. */
export function describeWith({ language, program, needed }: Toolchain, name: string, tests: () => void): void {
  if (isOnPath(program)) {
    describe(name, tests);
    return;
  }
  const why = `${name} is left out: there is no ${program} on the PATH; ${language} needs ${needed}`;
  if (process.env.CI !== 'true') describe.skip(why, tests);
  else
    it(name, () => {
      throw new Error(why);
    });
}

export function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
