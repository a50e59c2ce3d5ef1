package muster

const (
	sdkName         = "muster-go"
	sdkVersion      = "0.1.0"
	protocolVersion = 1
	// instrumentation is the instrumentation name of this SDK in OpenTelemetry.
	instrumentation = "github.com/muster-jobs/muster/sdk/go"
)
