/**
 * A process that imports a file and kills itself when the given number of rows is stored.
 *
 * Arguments: the file, `--data` or `--postgres` with its value, and the number of rows.
 */
import { importFrom } from '../../../server/transfer.ts';

const [file = '', kind, location = '', rows = ''] = process.argv.slice(2);
await importFrom(file, kind === '--data' ? { dataFolder: location } : { postgresUrl: location }, (progress) => {
  if (progress.part !== 'check' && progress.rows >= Number(rows)) process.kill(process.pid, 'SIGKILL');
});
