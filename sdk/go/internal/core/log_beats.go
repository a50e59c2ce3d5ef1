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
	l := &logBeats{beats: beats}
	l.alarm = newAlarm(core.do, func() {
		if !pending() {
			return
		}
		// Another beat may have been sent since the alarm was set.
		if soonest := l.soonest(); time.Now().Before(soonest) {
			l.alarm.by(soonest)
		} else {
			beats.within(0)
		}
	})
	return l
}

// logged: there are records that no heartbeat has carried.
func (l *logBeats) logged() {
	at := time.Now().Add(logDelay)
	if soonest := l.soonest(); at.Before(soonest) {
		at = soonest
	}
	l.alarm.by(at)
}

// soonest is when the next beat may be sent for the sake of records.
func (l *logBeats) soonest() time.Time {
	gap := min(progressDelay, max(logGap, logGapRoundTrips*min(progressDelay, l.beats.roundTrip)))
	return l.beats.lastSent.Add(gap)
}

func (l *logBeats) close() { l.alarm.cancel() }
