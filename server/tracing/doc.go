// Package tracing records what requests, commands, transactions and statements
// took as OpenTelemetry traces, and sends them to a collector over OTLP/HTTP.
//
// Attributes follow the semantic conventions, but for those that would tell who
// asks for what: no path, no query, no address, no user agent. Names are those
// of the program: routes, commands, statements without their values.
//
// Spans wait in a bounded queue. What the collector does not take in time is
// dropped and counted; nothing ever waits for it.
package tracing
