/** The processes of a command: all that share its session, whatever their process groups. */
import { readdirSync, readFileSync } from 'node:fs';

interface Member {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
}

/** More rounds than needed to kill a command that starts processes while it is being killed. */
const KILL_ROUNDS = 20;

/** Living processes of these sessions. Only Linux provides them; elsewhere the list is empty. */
export function membersOf(sessions: { has(session: number): boolean }): Member[] {
  if (process.platform !== 'linux') return [];
  const members: Member[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const member = readMember(Number(name));
    if (member !== undefined && sessions.has(member.session)) members.push(member);
  }
  return members;
}

/** `undefined` if the process is gone, or a zombie. */
function readMember(pid: number): Member | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name is in brackets and may contain anything, brackets too.
  const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, group: Number(group), session: Number(session) };
}

function trySignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // gone, or another user's by now
  }
}

/** Whether a process of the session lives. */
export function isAlive(session: number): boolean {
  if (process.platform === 'linux') return membersOf(new Set([session])).length > 0;
  return trySignal(-session, 0);
}

/** Sends a signal to every process of the session. */
export function signalSession(session: number, signal: NodeJS.Signals): void {
  const groups = new Set([session, ...membersOf(new Set([session])).map(({ group }) => group)]);
  for (const group of groups) trySignal(-group, signal);
}

/** Kills every process of the session, also those that are started meanwhile. */
export function killSession(session: number): void {
  trySignal(-session, 'SIGKILL');
  const killed = new Set<number>();
  for (let round = 0; round < KILL_ROUNDS; round++) {
    const fresh = membersOf(new Set([session])).filter(({ pid }) => !killed.has(pid));
    if (fresh.length === 0) return;
    for (const { pid } of fresh) {
      trySignal(pid, 'SIGKILL');
      killed.add(pid);
    }
  }
}
