package muster_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"

	"github.com/muster-jobs/muster/sdk/go"
)

// frozenReplica accepts connections and calls, and never answers, as a stopped process whose kernel accepts for it.
type frozenReplica struct {
	address string
	calls   atomic.Int32
}

func startFrozenReplica(t *testing.T) *frozenReplica {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	frozen := &frozenReplica{address: listener.Addr().String()}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go frozen.take(connection)
		}
	}()
	return frozen
}

// take sends the settings that make the connection usable, and counts the calls until the client hangs up.
func (f *frozenReplica) take(connection net.Conn) {
	defer connection.Close()
	connection.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
	reader := bufio.NewReader(connection)
	reader.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	frame := make([]byte, 9)
	for {
		if _, err := io.ReadFull(reader, frame); err != nil {
			return
		}
		const headers = 1
		if frame[3] == headers {
			f.calls.Add(1)
		}
		reader.Discard(int(binary.BigEndian.Uint32(frame) >> 8))
	}
}

func TestAReplicaThatDoesNotAnswerCostsAShareOfTheTime(t *testing.T) {
	fake, plain := startFakeServer(t)
	frozen := startFrozenReplica(t)
	replicas := manual.NewBuilderWithScheme("dns")
	replicas.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: frozen.address}, {Addr: plain.Conn().Target()}}})
	client, err := muster.NewClient(muster.ClientOptions{
		Address: "dns:///muster:7070",
		// Enough for three tries: a balancer that has just connected to the other replica may choose this one twice.
		Timeout:     6 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithResolvers(replicas)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for frozen.calls.Load() == 0 {
		if _, err := client.Submit(t.Context(), "resize", nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(fake.requests) == 0 {
		t.Fatal("the replica that answers was not asked")
	}
}
