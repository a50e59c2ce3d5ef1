package core

import (
	"slices"
	"time"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

type busLinkOwner interface {
	received(message *workerpb.SessionMessage)
	// connected is called when the subscription is active; no ping has been received over it yet.
	connected()
	// broken is called when the connection broke; messages in transit may be lost.
	broken()
	// gotPing is called when the first ping over the current connection has arrived.
	gotPing()
}

// busLink is the session's subscription. It tracks whether messages arrive over it.
type busLink struct {
	core        *Core
	owner       busLinkOwner
	connection  BusConnection
	urls        []string
	credentials *workerpb.NatsCredentials
	// echo is the highest ping received in this session; 0 if none.
	echo uint64
	// connectedAt is when the subscription became active; zero if it is not.
	connectedAt time.Time
	gotPing     bool
	closed      bool
}

func (b *busLink) open(bus Bus, opened *workerpb.OpenSessionResponse) {
	b.urls = opened.NatsUrls
	b.credentials = opened.NatsCredentials
	b.connection = bus.Connect(BusOptions{
		URLs: func() (newest []string) {
			b.core.do(func() { newest = b.urls })
			return newest
		},
		Subject: opened.Subject,
		Credentials: func() (newest *workerpb.NatsCredentials) {
			b.core.do(func() { newest = b.credentials })
			return newest
		},
		OnMessage: func(message *workerpb.SessionMessage) { b.core.do(func() { b.receive(message) }) },
		OnStatus:  func(connected bool) { b.core.do(func() { b.changed(connected) }) },
	})
}

// renewCredentials sets the credentials for the next connection.
func (b *busLink) renewCredentials(credentials *workerpb.NatsCredentials) {
	b.credentials = credentials
}

// reconnect replaces a connection that delivers nothing. It leaves a new connection alone, which has not had the time
// to, and does nothing without a connection, because another one is being made: replacing these again and again would
// keep the session from ever receiving anything. Without a connection, the attempts at one end when the bus has other
// addresses.
func (b *busLink) reconnect(urls []string) {
	isMoved := len(urls) > 0 && !slices.Equal(urls, b.urls)
	isDue := isMoved
	if !b.connectedAt.IsZero() {
		isDue = time.Since(b.connectedAt) >= hearingTime
	}
	if !isDue {
		return
	}
	if isMoved {
		b.urls = urls
	}
	b.connection.Reconnect()
}

func (b *busLink) close() {
	b.closed = true
	if b.connection != nil {
		b.connection.Close()
	}
}

func (b *busLink) receive(message *workerpb.SessionMessage) {
	if b.closed {
		return
	}
	b.owner.received(message)
	// The received message may have ended the session.
	if b.closed || message.Ping <= b.echo {
		return
	}
	b.echo = message.Ping
	if !b.gotPing {
		b.gotPing = true
		b.owner.gotPing()
	}
}

func (b *busLink) changed(connected bool) {
	if b.closed {
		return
	}
	if connected {
		b.connectedAt = time.Now()
		// A ping may arrive before the status that the subscription is active; credits are granted already then.
		b.owner.connected()
		return
	}
	broke := !b.connectedAt.IsZero() || b.gotPing
	b.connectedAt = time.Time{}
	b.gotPing = false
	if broke {
		b.owner.broken()
	}
}
