/** Opens the gRPC connection to Muster. */
import { Client, credentials } from '@grpc/grpc-js';

const CHANNEL_OPTIONS = {
  // Detects a dead connection within 15 s, also without calls.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // A worker must beat soon after the control plane is back; the library's own delays grow to two minutes.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.max_receive_message_length': 8 * 1024 * 1024,
  // Balances calls over the replicas of the address.
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
};

/** Whether the address may name several replicas. */
export function namesSeveral(address: string): boolean {
  return address.includes(',') || address.startsWith('dns:');
}

/**
 * @param address `host:port`, or any gRPC target that names several replicas, such as `dns:///muster:7070` or
 *   `ipv4:10.0.0.1:7070,10.0.0.2:7070`.
 */
export function openChannel(address: string): Client {
  return new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
}
