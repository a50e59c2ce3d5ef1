package core

import "time"

// alarm is one timer for many due times: it rings at the earliest one, and the callback checks what is due.
type alarm struct {
	do   func(func())
	ring func()
	// at is the zero time while no ring is requested.
	at    time.Time
	timer *time.Timer
	// setting identifies the current timer: a timer that was stopped too late has an older value.
	setting int
}

// newAlarm makes an alarm that rings through do, which takes the lock.
func newAlarm(do func(func()), ring func()) *alarm { return &alarm{do: do, ring: ring} }

// by requests a ring no later than the given time.
func (a *alarm) by(at time.Time) {
	if a.at.IsZero() || at.Before(a.at) {
		a.set(at)
	}
}

// set requests a ring at the given time and replaces earlier requests.
func (a *alarm) set(at time.Time) {
	a.cancel()
	a.at = at
	setting := a.setting
	a.timer = time.AfterFunc(time.Until(at), func() {
		a.do(func() {
			if a.setting != setting {
				return
			}
			a.at = time.Time{}
			a.ring()
		})
	})
}

func (a *alarm) cancel() {
	a.setting++
	a.at = time.Time{}
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
