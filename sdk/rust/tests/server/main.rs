//! Tests of client and worker against a control plane. They run when `MUSTER_TEST_ADDRESS` is set: `host:port` of its
//! gRPC port.

mod attempts;
mod batches;
mod children;
mod ends;
mod following;
mod jobs;
mod refusals;
mod signals;
mod support;
mod traced_children;
