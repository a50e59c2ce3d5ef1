/**
 * A process that outlives the worker. If the worker is killed, the guardian kills the commands that it leaves behind
 * and removes its folder. It detects the worker's end by the end of a pipe, which is reliable however the worker dies.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Reads "+ SESSION" and "- SESSION". At the end it kills the process group of each remaining session, and on Linux
 * every process of the session, whatever its group. The session is the fourth field after the name in /proc/PID/stat;
 * the name may itself contain spaces and brackets.
 */
const SCRIPT = `
trap '' HUP INT TERM
folder=$1
exec <"$folder/guardian"
echo ready
exec >&-
sessions=' '
while read -r sign session; do
  case $sign in
    +) sessions="$sessions$session " ;;
    -) case $sessions in *" $session "*) sessions="\${sessions%% $session *} \${sessions#* $session }" ;; esac ;;
  esac
done
for session in $sessions; do
  for round in 1 2 3 4 5 6 7 8 9 10; do
    kill -KILL -- "-$session"
    left=
    for stat in /proc/[0-9]*/stat; do
      read -r line <"$stat" || continue
      set -- \${line##*) }
      case "$4 $1" in "$session "[!ZX]) ;; *) continue ;; esac
      pid=\${stat#/proc/}
      kill -KILL "\${pid%/stat}" && left=1
    done
    [ -n "$left" ] || break
  done
done
rm -rf -- "$folder"
`;

export class Guardian {
  /** Launched commands write "+ SESSION" to it before they execute the program. */
  readonly descriptor: number;
  readonly #process: ChildProcess;
  #closed = false;

  private constructor(child: ChildProcess, descriptor: number) {
    this.#process = child;
    this.descriptor = descriptor;
  }

  /** @param folder The worker's own folder, which the guardian removes at the end. */
  static async start(folder: string): Promise<Guardian> {
    const path = join(folder, 'guardian');
    await promisify(execFile)('mkfifo', ['-m', '600', '--', path]);
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'muster-exec-guardian', folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    });
    // Opens its reading end first, without blocking; then the guardian's own open succeeds at once.
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // Non-blocking: a guardian that was suspended (SIGSTOP) must not block the worker, too.
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      await isReady(child);
    } finally {
      closeSync(read);
      unlinkSync(path);
    }
    child.unref();
    return new Guardian(child, descriptor);
  }

  /** Calls `lost` when the guardian ends before it was closed: then nothing would clean up the commands. */
  onLost(lost: () => void): void {
    this.#process.once('exit', () => {
      if (!this.#closed) lost();
    });
  }

  /** The command and all processes that it has started have ended: its session number may soon be reused. */
  forget(session: number): void {
    if (!this.#closed) tryWrite(this.descriptor, `- ${session}\n`);
  }

  /** Ends the guardian, which removes the worker's folder. */
  async close(): Promise<void> {
    this.#closed = true;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.ref();
    closeSync(this.descriptor);
    if (this.#process.exitCode === null && this.#process.signalCode === null) await ended;
  }
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the guardian ended with ${code}`)));
    child.stdout?.once('data', () => {
      child.removeAllListeners('exit');
      resolve();
    });
  });
}

function tryWrite(descriptor: number, text: string): void {
  try {
    writeSync(descriptor, text);
  } catch {
    // The guardian is gone, and the listener of `onLost` ends the worker; or it has been suspended for long.
  }
}
