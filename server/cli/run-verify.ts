/** Verifies a deployment, a line per rule, and reports what breaks it. */
import type { Location } from '../location.ts';
import { TransferRefusal } from '../transfer.ts';
import { type Verdict, verifyDeployment } from '../verify.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import type { Invocation } from './invocation.ts';
import type { Output } from './output/output.ts';
import { printable } from './output/printable.ts';

const number = new Intl.NumberFormat('en');

function show(out: Output, { name, holds, faultCount, faults }: Verdict): void {
  const [word, style] = faultCount === 0 ? (['ok', 'green'] as const) : (['FAIL', 'red'] as const);
  out.line(`${out.styled(style, word.padEnd(4))}  ${name.padEnd(12)}  ${holds}`);
  for (const { subject, fault } of faults) out.line(`${' '.repeat(20)}${printable(`${subject} ${fault}`)}`);
  if (faultCount > faults.length) out.line(`${' '.repeat(20)}… and ${number.format(faultCount - faults.length)} more`);
}

export async function runVerify({ out }: Invocation, location: Location): Promise<number> {
  try {
    const verdicts = await verifyDeployment(location, (verdict) => out.json || show(out, verdict));
    const faultCount = verdicts.reduce((sum, verdict) => sum + verdict.faultCount, 0);
    if (out.json)
      out.document({
        faultCount,
        rules: verdicts.map((one) => ({ ...one, faults: one.faults.map((f) => ({ ...f })) })),
      });
    else if (faultCount === 0) out.line('All of it holds.');
    else out.line(`${number.format(faultCount)} faults. Keep a backup of this database, and report them.`);
    return faultCount === 0 ? Exit.OK : Exit.ERRORS;
  } catch (error) {
    const exitCode = error instanceof TransferRefusal ? Exit.CONFLICT : Exit.UNEXPECTED;
    throw new CliError({ message: (error as Error).message, exitCode, cause: error });
  }
}
