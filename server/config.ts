/** What a replica is told at start; checked before anything is opened. */
import { z } from 'zod';

const port = z.number().int().min(0).max(65_535);
const milliseconds = z.number().int().min(50).max(3_600_000);

const schema = z
  .object({
    /** Address that gRPC and HTTP listen on. Loopback unless told otherwise. */
    host: z.string().min(1).default('127.0.0.1'),
    /** 0: any free port. */
    grpcPort: port.default(7070),
    httpPort: port.default(7080),
    /** Folder of the embedded database and of the embedded bus. */
    dataFolder: z.string().min(1).default('.muster'),
    /** URL of a PostgreSQL server; none: embedded. */
    postgresUrl: z
      .string()
      .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
      .optional(),
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
  });

export type Config = z.infer<typeof schema>;
export type ConfigInput = z.input<typeof schema>;

/** @throws Error that names each setting that is wrong, and why. */
export function readConfig(input: ConfigInput): Config {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
}
