// Package core is the worker's side of the dispatch protocol, apart from gRPC, NATS and handlers: it opens sessions, one
// after the other if need be, accepts assignments, hands them to handlers and reports what became of them.
//
// One lock guards all of it, that of Core. Methods of Core take it; answers of calls, timers and messages of the bus take
// it as well; everything else in the package is called with it held, and never blocks.
package core
