// Package core is the worker's side of the dispatch protocol, without gRPC, NATS and handlers: it opens sessions,
// accepts assignments, passes them to handlers and reports the outcomes. When a session is lost, it opens another one.
//
// The lock of Core guards all state. Methods of Core take it, and so do answers of calls, timers and messages of the
// bus; everything else in the package is called with it held, and never blocks.
package core
