/** A replica's settings; they are checked before anything is opened. */
import { z } from 'zod';

const port = z.number().int().min(0).max(65_535);
const milliseconds = z.number().int().min(50).max(3_600_000);
const hostName = z
  .string()
  .regex(/^[a-z0-9._-]+$/i, 'must be a host name without a port, such as muster.example.com')
  .transform((name) => name.toLowerCase());
const origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text,
    'must be an origin such as https://ops.example.com: scheme and host in lower case, a port only where it is unusual, no path',
  );

const schema = z
  .object({
    /** Address that gRPC and HTTP listen on. Default: loopback. */
    host: z.string().min(1).default('127.0.0.1'),
    /** 0: any free port. */
    grpcPort: port.default(7070),
    httpPort: port.default(7080),
    /** Host names of the HTTP port besides `host`, `localhost` and IP addresses: those of a proxy or a service. */
    httpHosts: z.array(hostName).default([]),
    /** Origins of foreign web pages that may call the HTTP port; none: only its own pages. */
    corsOrigins: z.array(origin).default([]),
    /** Folder of the embedded database and the embedded bus. */
    dataFolder: z.string().min(1).default('.muster'),
    /** URL of a PostgreSQL server; none: embedded. */
    postgresUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
    /** Max connections to PostgreSQL. Half of them serve lists, explanations and other reads of callers. */
    postgresConnections: z.number().int().min(4).max(500).default(12),
    /** URLs of NATS servers; none: embedded. */
    natsUrls: z.array(z.string()).default([]),
    natsCredentialsFile: z.string().optional(),
    natsSigningSeedFile: z.string().optional(),
    beatMs: milliseconds.default(5_000),
    leaseMs: milliseconds.default(15_000),
    logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  })
  .strict()
  .refine((config) => config.leaseMs >= 3 * config.beatMs, {
    path: ['leaseMs'],
    message: 'must be at least three times beatMs, or one lost heartbeat ends a session',
  })
  .superRefine((config, context) => {
    if (config.natsUrls.length > 0) return;
    for (const setting of ['natsCredentialsFile', 'natsSigningSeedFile'] as const) {
      if (config[setting] === undefined) continue;
      const message = 'is for NATS servers that are there already: name them as well (--nats), or leave it out';
      context.addIssue({ code: 'custom', path: [setting], message });
    }
  });

export type Config = z.infer<typeof schema>;
export type ConfigInput = z.input<typeof schema>;

/** @throws Error that names each invalid setting, and why. */
export function readConfig(input: ConfigInput): Config {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
