package muster

const (
	sdkName         = "muster-go"
	sdkVersion      = "0.1.0"
	protocolVersion = 1
	// instrumentation is the name by which OpenTelemetry knows this SDK.
	instrumentation = "muster.dev/sdk/go"
)
