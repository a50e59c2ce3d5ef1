/** The languages of SDKs that a machine may lack, and what to install then. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Toolchain {
  readonly language: string;
  /** That builds, and is looked for. */
  readonly program: string;
  /** What to install. */
  readonly needed: string;
}

export const go: Toolchain = { language: 'Go', program: 'go', needed: 'Go 1.25 or newer, https://go.dev/dl' };
export const rust: Toolchain = { language: 'Rust', program: 'cargo', needed: 'Rust 1.89 or newer, https://rustup.rs' };
export const java: Toolchain = { language: 'Java', program: 'mvn', needed: 'a JDK of version 17 or newer, and Maven' };

/** Why the language can not be used here; undefined: it can. */
export function lackOf({ language, program, needed }: Toolchain): string | undefined {
  return isOnPath(program) ? undefined : `there is no ${program} on the PATH; ${language} needs ${needed}`;
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
