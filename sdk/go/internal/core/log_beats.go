package core

import "time"

// logBeats has heartbeats bring log records soon after they were written. A control plane that is slow to answer gets fewer
// of them: so that records cost it a bounded share of its time, however many handlers log.
type logBeats struct {
	beats *beats
	alarm *alarm
}

// newLogBeats takes whether records still wait: those of an attempt that has ended go with its report.
func newLogBeats(core *Core, beats *beats, pending func() bool) *logBeats {
	return &logBeats{beats: beats, alarm: newAlarm(core.do, func() {
		if pending() {
			beats.within(0)
		}
	})}
}

// logged: there are records that no heartbeat has carried.
func (l *logBeats) logged() {
	gap := min(progressDelay, max(logGap, logGapRoundTrips*min(progressDelay, l.beats.roundTrip)))
	at := time.Now().Add(logDelay)
	if soonest := l.beats.lastSent.Add(gap); at.Before(soonest) {
		at = soonest
	}
	l.alarm.by(at)
}

func (l *logBeats) close() { l.alarm.cancel() }
