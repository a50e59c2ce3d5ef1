// Package natsbus subscribes to a session's subject over NATS. It reconnects by itself, with the newest credentials,
// until it is closed.
package natsbus

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"google.golang.org/protobuf/proto"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

const (
	connectTimeout = 2 * time.Second
	flushTimeout   = 5 * time.Second
	reconnectWait  = 200 * time.Millisecond
	// pingInterval: a dead connection is detected within three intervals.
	pingInterval = 10 * time.Second
)

// Bus makes subscriptions over NATS.
type Bus struct {
	Logger *slog.Logger
}

// Connect subscribes in the background.
func (b Bus) Connect(options core.BusOptions) core.BusConnection {
	return b.connect(options, flushTimeout)
}

func (b Bus) connect(options core.BusOptions, flushTimeout time.Duration) core.BusConnection {
	ctx, cancel := context.WithCancel(context.Background())
	s := &subscription{
		options: options, flushTimeout: flushTimeout, logger: b.Logger, ctx: ctx, cancel: cancel, anew: make(chan struct{}, 1),
	}
	go s.keepConnected()
	return s
}

type subscription struct {
	options core.BusOptions
	// flushTimeout is the maximum wait for the server's answer after subscribing.
	flushTimeout time.Duration
	logger       *slog.Logger
	ctx          context.Context
	cancel       context.CancelFunc
	// anew requests a new connection.
	anew chan struct{}
}

func (s *subscription) Reconnect() {
	select {
	case s.anew <- struct{}{}:
	default: // requested already
	}
}

func (s *subscription) Close() { s.cancel() }

func (s *subscription) keepConnected() {
	for s.ctx.Err() == nil {
		if err := s.connectOnce(); err != nil {
			s.warn("the bus can not be reached yet", err)
		}
		s.report(false)
		pause(s.ctx, reconnectWait+rand.N(reconnectWait))
	}
}

// connectOnce returns when the connection has ended, after reconnects of the library, or when another one is requested.
func (s *subscription) connectOnce() error {
	// A request for the previous connection does not apply to this one.
	select {
	case <-s.anew:
	default:
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	closed := make(chan struct{})
	connection, err := nats.Connect(strings.Join(s.options.URLs(), ","), append(s.authentication(),
		nats.Name("muster worker"),
		nats.Timeout(connectTimeout),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(2),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		// Credentials are renewed while it reconnects, so a refusal is not final.
		nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { s.report(false) }),
		nats.ReconnectHandler(s.reportInForce),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.complained(ctx, err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }),
	)...)
	if err != nil {
		return err
	}
	defer func() {
		connection.Close()
		// The closed handler is the last callback: after it, none reports the status of the old connection.
		<-closed
	}()
	if _, err := connection.Subscribe(s.options.Subject, s.receive); err != nil {
		return err
	}
	s.reportInForce(connection)
	select {
	case <-s.ctx.Done():
		return nil
	case <-closed:
		return connection.LastError()
	case <-s.anew:
		// Not ForceReconnect: while the library reconnects already, that ends each of its waits at once, until the
		// server is back.
		return nil
	}
}

// reportInForce reports the subscription as active once the server has answered after it. A subscription that the
// server refused is reported by its error, and receives no ping meanwhile.
func (s *subscription) reportInForce(connection *nats.Conn) {
	// A connection that breaks before the answer is reported by the next status.
	switch err := connection.FlushTimeout(s.flushTimeout); {
	case err == nil:
		s.report(true)
	case errors.Is(err, nats.ErrTimeout):
		// The connection is alive but silent, and nothing else would replace it: the session assumes that it is still
		// connecting.
		s.warn("the bus did not answer after the subscription", err)
		s.Reconnect()
	}
}

func (s *subscription) complained(ctx context.Context, err error) {
	s.warn("the bus reported an error", err)
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	// The subscription stays dead on this connection, even if the credentials are renewed: a new connection is needed.
	go func() {
		pause(ctx, reconnectWait+rand.N(reconnectWait))
		if ctx.Err() == nil {
			s.Reconnect()
		}
	}()
}

func (s *subscription) receive(message *nats.Msg) {
	if s.ctx.Err() != nil {
		return
	}
	decoded := &workerpb.SessionMessage{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(message.Data, decoded); err != nil {
		s.warn("a message could not be read", err)
		return
	}
	s.options.OnMessage(decoded)
}

func (s *subscription) report(connected bool) {
	if s.ctx.Err() == nil {
		s.options.OnStatus(connected)
	}
}

func (s *subscription) warn(message string, err error) {
	if s.ctx.Err() == nil {
		s.logger.Warn(message, "error", err)
	}
}

// authentication reads the credentials for each connection, so that a reconnect uses the newest.
func (s *subscription) authentication() []nats.Option {
	if s.options.Credentials().GetJwt() == "" {
		return nil
	}
	jwt := func() (string, error) { return s.options.Credentials().GetJwt(), nil }
	sign := func(nonce []byte) ([]byte, error) {
		pair, err := nkeys.FromSeed([]byte(s.options.Credentials().GetSeed()))
		if err != nil {
			return nil, err
		}
		defer pair.Wipe()
		return pair.Sign(nonce)
	}
	return []nats.Option{nats.UserJWT(jwt, sign)}
}

func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
