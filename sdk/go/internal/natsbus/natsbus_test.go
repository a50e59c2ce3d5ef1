package natsbus

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

const (
	subject = "muster.v1.session.test"
	// patience is far longer than any step takes.
	patience = 30 * time.Second
)

// natsServer is a real server that can be stopped and started.
type natsServer struct {
	t       *testing.T
	program string
	config  string
	address string
	process *exec.Cmd
}

func startNats(t *testing.T, config string) *natsServer {
	t.Helper()
	s := &natsServer{t: t, program: natsProgram(t), config: filepath.Join(t.TempDir(), "nats.conf")}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	listener.Close()
	if err := os.WriteFile(s.config, []byte(fmt.Sprintf("listen: %s\n%s", s.address, config)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// natsProgram returns the program in the PATH, or the one that the set-up of the repository installs; without one the
// test is skipped.
func natsProgram(t *testing.T) string {
	if program, err := exec.LookPath("nats-server"); err == nil {
		return program
	}
	program, err := filepath.Abs("../../../../.tools/bin/nats-server")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		t.Skip("there is no nats-server on the PATH")
	}
	return program
}

func (s *natsServer) start() {
	s.t.Helper()
	s.process = exec.Command(s.program, "-c", s.config)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		connection, err := net.Dial("tcp", s.address)
		if err == nil {
			connection.Close()
			return
		}
		if time.Now().After(end) {
			s.t.Fatal(err)
		}
	}
}

func (s *natsServer) stop() {
	s.process.Process.Kill()
	s.process.Wait()
}

// listener is a subscription, with the messages and statuses that it received.
type listener struct {
	core.BusConnection
	t           *testing.T
	credentials atomic.Pointer[workerpb.NatsCredentials]
	statuses    chan bool
	messages    chan *workerpb.SessionMessage
	complaints  chan string
}

// Write records log lines.
func (l *listener) Write(line []byte) (int, error) {
	l.complaints <- string(line)
	return len(line), nil
}

// complains waits for a log line about the credentials.
func (l *listener) complains() {
	l.t.Helper()
	var said []string
	for end := time.After(patience); ; {
		select {
		case line := <-l.complaints:
			said = append(said, line)
			if strings.Contains(strings.ToLower(line), "auth") {
				return
			}
		case <-end:
			l.t.Fatalf("it never complained of its credentials, but said %q", said)
		}
	}
}

func (s *natsServer) listen(credentials *workerpb.NatsCredentials) *listener {
	l := &listener{t: s.t, statuses: make(chan bool, 1_000), messages: make(chan *workerpb.SessionMessage, 1_000), complaints: make(chan string, 10_000)}
	l.credentials.Store(credentials)
	l.BusConnection = Bus{Logger: slog.New(slog.NewTextHandler(l, nil))}.Connect(core.BusOptions{
		URLs:        func() []string { return []string{"nats://" + s.address} },
		Subject:     subject,
		Credentials: l.credentials.Load,
		OnMessage:   func(message *workerpb.SessionMessage) { l.messages <- message },
		OnStatus:    func(connected bool) { l.statuses <- connected },
	})
	s.t.Cleanup(l.Close)
	return l
}

// until waits for a status and skips earlier ones.
func (l *listener) until(connected bool) {
	l.t.Helper()
	for {
		select {
		case status := <-l.statuses:
			if status == connected {
				return
			}
		case <-time.After(patience):
			l.t.Fatalf("it never reported that it is connected: %v", connected)
		}
	}
}

// receives publishes until a message arrives.
func (l *listener) receives(s *natsServer, publisher *workerpb.NatsCredentials, ping uint64) {
	l.t.Helper()
	var options []nats.Option
	if publisher != nil {
		options = append(options, nats.UserJWTAndSeed(publisher.Jwt, publisher.Seed))
	}
	connection, err := nats.Connect("nats://"+s.address, options...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer connection.Close()
	data, err := proto.Marshal(&workerpb.SessionMessage{Ping: ping})
	if err != nil {
		l.t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err := connection.Publish(subject, data); err != nil {
			l.t.Fatal(err)
		}
		select {
		case message := <-l.messages:
			if message.Ping == ping {
				return
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
	l.t.Fatalf("ping %d never arrived", ping)
}

func TestSubscriptionOutlivesItsServer(t *testing.T) {
	server := startNats(t, "")
	l := server.listen(nil)
	l.until(true)
	l.receives(server, nil, 1)
	server.stop()
	l.until(false)
	server.start()
	l.until(true)
	l.receives(server, nil, 2)
}

func TestSubscriptionWaitsForItsServer(t *testing.T) {
	server := startNats(t, "")
	server.stop()
	l := server.listen(nil)
	l.until(false)
	server.start()
	l.until(true)
	l.receives(server, nil, 1)
}

func TestSubscriptionConnectsAnew(t *testing.T) {
	server := startNats(t, "")
	l := server.listen(nil)
	l.until(true)
	l.Reconnect()
	l.until(false)
	l.until(true)
	l.receives(server, nil, 1)
}

func TestSubscriptionPassesOverWhatIsNoMessage(t *testing.T) {
	server := startNats(t, "")
	l := server.listen(nil)
	l.until(true)
	connection, err := nats.Connect("nats://" + server.address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.Publish(subject, []byte("\xff")); err != nil {
		t.Fatal(err)
	}
	l.receives(server, nil, 1)
}

func TestSubscriptionTakesTheNewestCredentials(t *testing.T) {
	accounts := newAccounts(t)
	server := startNats(t, accounts.config)
	publisher := accounts.user(subject, true, time.Time{})
	l := server.listen(accounts.user(subject, false, time.Time{}))
	l.until(true)
	l.receives(server, publisher, 1)
	l.credentials.Store(accounts.user(subject, false, time.Now().Add(-time.Hour)))
	server.stop()
	server.start()
	// Refused more than once: by default the library gives up after two refusals.
	for range 4 {
		l.complains()
	}
	l.credentials.Store(accounts.user(subject, false, time.Time{}))
	l.until(true)
	l.receives(server, publisher, 2)
}

func TestSubscriptionThatWasRefused(t *testing.T) {
	accounts := newAccounts(t)
	server := startNats(t, accounts.config)
	l := server.listen(accounts.user("another.subject", false, time.Time{}))
	l.until(true)
	l.until(false)
	l.credentials.Store(accounts.user(subject, false, time.Time{}))
	l.receives(server, accounts.user(subject, true, time.Time{}), 1)
}

func TestNothingIsReportedAfterTheEnd(t *testing.T) {
	server := startNats(t, "")
	l := server.listen(nil)
	l.until(true)
	l.Close()
	server.stop()
	server.start()
	another := server.listen(nil)
	another.until(true)
	another.receives(server, nil, 1)
	if reports := len(l.statuses) + len(l.messages); reports != 0 {
		t.Fatalf("reported %d times", reports)
	}
}
