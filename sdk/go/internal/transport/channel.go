// Package transport makes the gRPC connection to Muster, and repeats calls that failed for transient reasons.
package transport

import (
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	maxReceiveBytes   = 8 * 1024 * 1024
	minConnectTimeout = 5 * time.Second
)

// NamesSeveral reports whether the address may name several replicas.
func NamesSeveral(address string) bool {
	return strings.Contains(address, ",") || strings.HasPrefix(address, "dns:")
}

// Dial makes a connection without any call yet. The caller's options are applied after the SDK's own.
func Dial(address string, options []grpc.DialOption) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A dead connection is detected within 15 s, even without calls in progress.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                10 * time.Second,
			Timeout:             5 * time.Second,
			PermitWithoutStream: true,
		}),
		// A worker must send a heartbeat soon after the control plane is back: the default backoff grows to two
		// minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: minConnectTimeout,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceiveBytes)),
		// Calls alternate between the replicas that the address names.
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
	}, options...)...)
}
