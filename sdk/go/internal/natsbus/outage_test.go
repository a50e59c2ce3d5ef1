package natsbus

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
)

// patienceForAnswer is short, but far longer than an answer takes on a busy machine.
const patienceForAnswer = time.Second

// fakeNats counts its connections, and answers each as the test requires.
type fakeNats struct {
	t        *testing.T
	listener net.Listener
	accepted atomic.Int32
}

// startFake serves each connection in a goroutine; number is 1 for the first. The connection is closed when serve
// returns.
func startFake(t *testing.T, serve func(connection net.Conn, number int32)) *fakeNats {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeNats{t: t, listener: listener}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			number := f.accepted.Add(1)
			go func() {
				defer connection.Close()
				serve(connection, number)
			}()
		}
	}()
	return f
}

// speak sends the greeting, and answers each line until the client disconnects; an empty answer is not sent.
func speak(connection net.Conn, answer func(line string) string) {
	fmt.Fprint(connection, "INFO {\"server_id\":\"fake\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,\"max_payload\":1048576}\r\n")
	for lines := bufio.NewScanner(connection); lines.Scan(); {
		fmt.Fprint(connection, answer(lines.Text()))
	}
}

// pong answers like a server that refuses nothing.
func pong(line string) string {
	if line == "PING" {
		return "PONG\r\n"
	}
	return ""
}

func (f *fakeNats) listen() *listener {
	l := &listener{t: f.t, statuses: make(chan bool, 1_000), complaints: make(chan string, 100_000)}
	l.BusConnection = Bus{Logger: slog.New(slog.NewTextHandler(l, nil))}.connect(core.BusOptions{
		URLs:        func() []string { return []string{"nats://" + f.listener.Addr().String()} },
		Subject:     subject,
		Credentials: l.credentials.Load,
		OnStatus:    func(connected bool) { l.statuses <- connected },
	}, patienceForAnswer)
	f.t.Cleanup(l.Close)
	return l
}

// After a server has refused the subscription and gone away, there is a wait between the tries.
func TestOutageAfterARefusal(t *testing.T) {
	gone := make(chan struct{})
	server := startFake(t, func(connection net.Conn, number int32) {
		if number > 1 {
			return
		}
		speak(connection, func(line string) string {
			if strings.HasPrefix(line, "SUB ") {
				time.AfterFunc(50*time.Millisecond, func() {
					connection.Close()
					close(gone)
				})
				return fmt.Sprintf("-ERR 'Permissions Violation for Subscription to %q'\r\n", subject)
			}
			return pong(line)
		})
	})
	l := server.listen()
	<-gone
	l.until(false)
	time.Sleep(time.Second)
	if tries := server.accepted.Load(); tries < 2 || tries > 10 {
		t.Fatalf("%d connections within a second", tries)
	}
}

// A request to replace a connection does not end the next one.
func TestConnectsAnewOnce(t *testing.T) {
	server := startFake(t, func(connection net.Conn, _ int32) { speak(connection, pong) })
	l := server.listen()
	l.until(true)
	l.Reconnect()
	l.until(false)
	l.Reconnect()
	l.until(true)
	time.Sleep(4 * reconnectWait)
	if made := server.accepted.Load(); made != 2 || len(l.statuses) != 0 {
		t.Fatalf("%d connections, and %d more statuses", made, len(l.statuses))
	}
}

// When a server takes too long to answer after the subscription, the connection is replaced: the subscription may never
// become active.
func TestConnectsAnewWhereNoAnswerComes(t *testing.T) {
	server := startFake(t, func(connection net.Conn, number int32) {
		subscribed, held := false, false
		speak(connection, func(line string) string {
			subscribed = subscribed || strings.HasPrefix(line, "SUB ")
			if number == 1 && subscribed && !held && line == "PING" {
				held = true
				return ""
			}
			return pong(line)
		})
	})
	l := server.listen()
	l.until(true)
	if made := server.accepted.Load(); made != 2 {
		t.Fatalf("%d connections", made)
	}
}
