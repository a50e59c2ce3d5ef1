package core

import (
	"time"

	pb "muster.dev/sdk/go/musterpb"
)

type busLinkOwner interface {
	received(message *pb.SessionMessage)
	// connected: the subscription is in force; nothing was heard over it yet.
	connected()
	// broken: the connection broke, and what was on its way may be lost.
	broken()
	// heard: the first ping over the present connection has arrived.
	heard()
}

// busLink is the session's subscription, and whether anything is heard over it.
type busLink struct {
	core        *Core
	owner       busLinkOwner
	connection  BusConnection
	credentials *pb.NatsCredentials
	// echo is the highest ping heard in this session. 0: none.
	echo uint64
	// connectedAt is when the subscription came into force; zero: it is not.
	connectedAt time.Time
	isHeard     bool
	closed      bool
}

func (b *busLink) open(bus Bus, opened *pb.OpenSessionResponse) {
	b.credentials = opened.NatsCredentials
	b.connection = bus.Connect(BusOptions{
		URLs:    opened.NatsUrls,
		Subject: opened.Subject,
		Credentials: func() (newest *pb.NatsCredentials) {
			b.core.do(func() { newest = b.credentials })
			return newest
		},
		OnMessage: func(message *pb.SessionMessage) { b.core.do(func() { b.receive(message) }) },
		OnStatus:  func(connected bool) { b.core.do(func() { b.changed(connected) }) },
	})
}

// renewCredentials gives those to be used from the next connection on.
func (b *busLink) renewCredentials(credentials *pb.NatsCredentials) { b.credentials = credentials }

// reconnect gives the connection up that brings nothing. One that is new has had no time to, and where there is none another
// one is on its way: giving up on these over and over would leave the session deaf for ever.
func (b *busLink) reconnect() {
	if !b.connectedAt.IsZero() && time.Since(b.connectedAt) >= hearingTime {
		b.connection.Reconnect()
	}
}

func (b *busLink) close() {
	b.closed = true
	if b.connection != nil {
		b.connection.Close()
	}
}

func (b *busLink) receive(message *pb.SessionMessage) {
	if b.closed {
		return
	}
	b.owner.received(message)
	// What was received may have ended the session.
	if b.closed || message.Ping <= b.echo {
		return
	}
	b.echo = message.Ping
	if !b.isHeard {
		b.isHeard = true
		b.owner.heard()
	}
}

func (b *busLink) changed(connected bool) {
	if b.closed {
		return
	}
	if connected {
		b.connectedAt = time.Now()
		// A ping may have come before the word that the subscription is in force: then credits are granted already.
		b.owner.connected()
		return
	}
	broke := !b.connectedAt.IsZero() || b.isHeard
	b.connectedAt = time.Time{}
	b.isHeard = false
	if broke {
		b.owner.broken()
	}
}
