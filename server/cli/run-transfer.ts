/** Moves a deployment with progress, and reports the result. */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JsonValue } from '@bufbuild/protobuf';
import type { Location } from '../location.ts';
import { type ExportHeader, exportTo, importFrom, TransferRefusal } from '../transfer.ts';
import { pathOf } from './command-process.ts';
import { CliError } from './failures/cli-error.ts';
import { Exit } from './failures/exit-codes.ts';
import type { Invocation } from './invocation.ts';
import { TransferBar } from './output/transfer-bar.ts';

const number = new Intl.NumberFormat('en');

function rowsOf({ tables }: ExportHeader): number {
  return tables.reduce((sum, table) => sum + table.rows, 0);
}

function factsOf(file: string, header: ExportHeader): Record<string, JsonValue> {
  const { release, schemaVersion, exportTime, tables } = header;
  const rows = Object.fromEntries(tables.map((table) => [table.name, table.rows]));
  return { file: resolve(file), release, schemaVersion, exportTime, rows };
}

/** Runs the work with a progress bar. A refusal of the transfer is a conflict; any other error is unexpected. */
async function withProgress<T>({ out }: Invocation, work: (bar: TransferBar) => Promise<T>): Promise<T> {
  const bar = new TransferBar(out);
  try {
    return await work(bar);
  } catch (error) {
    const exitCode = error instanceof TransferRefusal ? Exit.CONFLICT : Exit.UNEXPECTED;
    throw new CliError({ message: (error as Error).message, exitCode, cause: error });
  } finally {
    bar.end();
  }
}

export async function runExport(invocation: Invocation, file: string, location: Location): Promise<void> {
  const { out, process } = invocation;
  const path = pathOf(process, file);
  const header = await withProgress(invocation, (bar) => exportTo(path, location, bar.show));
  const { size } = await stat(path);
  if (out.json) return out.document({ ...factsOf(path, header), bytes: size });
  out.line(`Exported ${number.format(rowsOf(header))} rows into ${file} (${number.format(size)} bytes).`);
  out.line('It holds every payload and the key of page tokens: only its owner may read it. Keep it so.');
}

export async function runImport(invocation: Invocation, file: string, location: Location): Promise<void> {
  const { out, process } = invocation;
  const path = pathOf(process, file);
  const header = await withProgress(invocation, (bar) => importFrom(path, location, bar.show));
  if (out.json) return out.document(factsOf(path, header));
  const where = 'dataFolder' in location ? resolve(location.dataFolder) : 'PostgreSQL';
  out.line(`Imported ${number.format(rowsOf(header))} rows of ${header.exportTime} into ${where}.`);
  out.line('Jobs continue when a control plane is started there. Never start one on the old deployment again.');
}
