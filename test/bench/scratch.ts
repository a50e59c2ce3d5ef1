import { readFileSync, readdirSync } from 'node:fs';
import { Client } from '../../sdk/typescript/src/index.ts';
import { startPostgres } from '../support/postgres.ts';
import { startDeployment, startWorker } from './deployment.ts';
import { throughput } from './measures.ts';
const which = process.argv[2] ?? 'limited';
const jobs = Number(process.argv[3] ?? 60000);
const limited: any = { name: 'limited', body: { case: 'task', value: { handler: 'nothing' } }, queue: 'limited' };
if (/f/.test(which)) limited.fairnessKey = 'input.tenant';
if (/c/.test(which)) limited.maxConcurrency = 50_000;
if (/r/.test(which)) limited.rateLimit = { units: 1_000_000, burst: 1_000_000 };
if (/k/.test(which)) limited.keyLimit = { key: 'input.tenant', maxConcurrency: 1_000 };
const prio = /p/.test(which);
const server = await startPostgres();
const deployment = await startDeployment(await server.createDatabase(), process.argv[4] ? ['--cpu-prof', `--cpu-prof-dir=${process.argv[4]}`] : []);
const client = new Client({ address: deployment.address });
await client.applyDefinition({ name: 'nothing' });
await client.applyDefinition(limited);
const worker = await startWorker(deployment.address, 1_000);
const input = (n: number) => ({ n, tenant: `tenant-${n % 100}`, text: 'as many bytes as others' });
const sub = (n: number) => which === 'plain' ? { definition: 'nothing', input: input(n) } : { definition: 'limited', input: input(n), ...(prio ? { priority: n % 5 } : {}) };
const cpu = () => {
  const by: Record<string, number> = {};
  for (const pid of readdirSync('/proc').filter((p) => /^\d+$/.test(p))) {
    try {
      const cmd = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 200);
      const st = readFileSync(`/proc/${pid}/stat`, 'utf8'); const f = st.slice(st.lastIndexOf(')') + 2).split(' ');
      const t = (Number(f[11]) + Number(f[12])) * 10;
      const name = /bin\.mjs|cli\/muster|main\.ts/.test(cmd) ? 'server' : /^postgres|bin\/postgres/.test(cmd) ? 'postgres' : /nats-server/.test(cmd) ? 'nats' : /worker\.ts/.test(cmd) ? 'worker' : /scratch/.test(cmd) ? 'client' : /bin\.mjs|main\.ts|muster/.test(cmd) ? 'server' : 'other';
      by[name] = (by[name] ?? 0) + t;
    } catch {}
  }
  return by;
};
await throughput(client, worker, 10_000, 500, 4, sub);
const a = cpu();
const rate = await throughput(client, worker, jobs, 500, 4, sub);
const b = cpu();
console.log(which, rate, 'jobs/s; µs a job:', Object.fromEntries(Object.keys(b).map((k) => [k, Math.round(((b[k] ?? 0) - (a[k] ?? 0)) * 1000 / jobs)])));
await worker.stop(); client.close(); await deployment.stop(); await server.stop();
