package core

import "time"

// logBeats schedules heartbeats for log records soon after they were written. A control plane that answers slowly gets
// fewer of them, so that log records cost it a bounded share of its time, however many handlers log.
type logBeats struct {
	beats *beats
	alarm *alarm
}

// newLogBeats takes a function that reports whether updates are pending: records of an ended attempt are sent with its
// report.
func newLogBeats(core *Core, beats *beats, pending func() bool) *logBeats {
	l := &logBeats{beats: beats}
	l.alarm = newAlarm(core.do, func() {
		if !pending() {
			return
		}
		// Another heartbeat may have been sent since the alarm was set.
		if soonest := l.soonest(); time.Now().Before(soonest) {
			l.alarm.by(soonest)
		} else {
			beats.within(0)
		}
	})
	return l
}

// logged is called when there are records that no heartbeat has carried.
func (l *logBeats) logged() {
	at := time.Now().Add(logDelay)
	if soonest := l.soonest(); at.Before(soonest) {
		at = soonest
	}
	l.alarm.by(at)
}

// soonest returns the earliest time of the next heartbeat for log records.
func (l *logBeats) soonest() time.Time {
	gap := min(progressDelay, max(logGap, logGapRoundTrips*min(progressDelay, l.beats.roundTrip)))
	return l.beats.lastSent.Add(gap)
}

func (l *logBeats) close() { l.alarm.cancel() }
