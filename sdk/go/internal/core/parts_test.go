package core

import (
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/muster-jobs/muster/sdk/go/internal/rpcerror"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

func TestJudgeAsksInOrder(t *testing.T) {
	// Each fact decides alone, whatever the later facts are.
	welcome := acceptanceFacts{supported: true, creditUnspent: true, slotFree: true}
	with := func(change func(*acceptanceFacts)) acceptanceFacts {
		facts := welcome
		change(&facts)
		return facts
	}
	worst := acceptanceFacts{held: true, seen: true, fenced: true, full: true, cancelled: true, draining: true}
	tests := map[string]struct {
		facts acceptanceFacts
		want  verdict
	}{
		"welcome":         {welcome, verdict{kind: accept}},
		"all at once":     {worst, verdict{kind: ignore}},
		"held":            {with(func(f *acceptanceFacts) { f.held, f.cancelled = true, true }), verdict{kind: ignore}},
		"seen":            {with(func(f *acceptanceFacts) { f.seen, f.draining = true, true }), verdict{kind: ignore}},
		"fenced":          {with(func(f *acceptanceFacts) { f.fenced, f.cancelled = true, true }), verdict{kind: ignore}},
		"full":            {with(func(f *acceptanceFacts) { f.full, f.cancelled = true, true }), verdict{kind: ignore}},
		"cancelled":       {with(func(f *acceptanceFacts) { f.cancelled, f.draining = true, true }), verdict{release, workerpb.ReleaseReason_RELEASE_REASON_CANCELLED}},
		"draining":        {with(func(f *acceptanceFacts) { f.draining, f.supported = true, false }), verdict{release, workerpb.ReleaseReason_RELEASE_REASON_DRAIN}},
		"not supported":   {with(func(f *acceptanceFacts) { f.supported, f.creditUnspent = false, false }), verdict{release, workerpb.ReleaseReason_RELEASE_REASON_UNSUPPORTED}},
		"a dead credit":   {with(func(f *acceptanceFacts) { f.creditUnspent, f.slotFree = false, false }), verdict{release, workerpb.ReleaseReason_RELEASE_REASON_DEAD_CREDIT}},
		"no slot is free": {with(func(f *acceptanceFacts) { f.slotFree = false }), verdict{release, workerpb.ReleaseReason_RELEASE_REASON_NO_SLOT}},
	}
	for name, test := range tests {
		if got := judge(test.facts); got != test.want {
			t.Errorf("%s: %v, not %v", name, got, test.want)
		}
	}
}

func TestFence(t *testing.T) {
	start := time.Now()
	long := newFence(start, 15*time.Second)
	if long.passed(start.Add(13*time.Second-1)) || !long.passed(start.Add(13*time.Second)) {
		t.Error("the fence does not fall 2 s before the lease")
	}
	short := newFence(start, 3*time.Second)
	if short.passed(start.Add(2_600*time.Millisecond-1)) || !short.passed(start.Add(2_600*time.Millisecond)) {
		t.Error("the margin of a short lease is not 2/15 of it")
	}
	long.extend(start.Add(5 * time.Second))
	long.extend(start.Add(2 * time.Second))
	if !long.at.Equal(start.Add(18 * time.Second)) {
		t.Error("a late answer set the fence back")
	}
}

func TestCreditsAreSpentAsTheServerSpendsThem(t *testing.T) {
	all, now := newCredits(), time.Now()
	credit := all.live(all.grant(1, 1, now).CreditId, now)
	all.spend(credit, attemptKey{attempt: 1}, false)
	all.spend(credit, attemptKey{attempt: 2}, false)
	if all.slots != 0 || all.prefetch != 1 || len(credit.seen) != 2 {
		t.Fatalf("%d slots, %d prefetch, seen %v", all.slots, all.prefetch, credit.seen)
	}
	if all.live(credit.id, now.Add(creditLife)) != nil {
		t.Error("the credit outlives its life")
	}
	all.expire(now.Add(creditLife))
	if all.prefetch != 0 || all.remembers(credit.id) {
		t.Error("what an ended credit left is still counted")
	}
}

func TestCreditsForgetSpentOnes(t *testing.T) {
	all, now := newCredits(), time.Now()
	for i := range int32(maxSpentCredits + 500) {
		all.spend(all.live(all.grant(1, 0, now).CreditId, now), attemptKey{attempt: i}, false)
	}
	if len(all.byID) != maxSpentCredits {
		t.Fatalf("%d credits are remembered", len(all.byID))
	}
}

func TestCreditsVoidAging(t *testing.T) {
	all, now := newCredits(), time.Now()
	old := all.grant(2, 0, now).CreditId
	young := all.grant(3, 0, now.Add(5*time.Second)).CreditId
	if voided := all.voidAging(now.Add(8 * time.Second)); len(voided) != 1 || voided[0] != old {
		t.Fatalf("voided %v", voided)
	}
	if all.slots != 3 || all.void(old) || !all.void(young) || all.slots != 0 {
		t.Fatal("a credit was voided twice, or not at all")
	}
}

func TestGrantsKeepToTheHeldList(t *testing.T) {
	now := time.Now()
	held := newHeldList()
	for i := range maxHeld - 3 {
		held.byKey[attemptKey{attempt: int32(i)}] = nil
	}
	rate := newCompletionRate(now)
	rate.add(now, 100)
	supply := newGrants(newCredits(), held, &slotTable{size: 2}, rate)
	said := supply.compose(now, true)
	if len(said.credits) != 1 || said.credits[0].Slots != 2 || said.credits[0].Prefetch != 1 {
		t.Fatalf("granted %v", said.credits)
	}
	supply.failed(said)
	if again := supply.compose(now, false); len(again.credits) != 0 || len(again.voided) != 1 {
		t.Fatalf("said %v", again)
	}
}

func TestGrantsForgetVoidsOfEndedCredits(t *testing.T) {
	now := time.Now()
	supply := newGrants(newCredits(), newHeldList(), &slotTable{size: 1}, newCompletionRate(now))
	for i := range 100 {
		supply.failed(supply.compose(now.Add(time.Duration(i)*time.Second), true))
	}
	if len(supply.unsaid) > 16 {
		t.Fatalf("%d voids are kept", len(supply.unsaid))
	}
}

func TestCancelsAreBounded(t *testing.T) {
	all, now := newCancels(), time.Now()
	for i := range int32(maxCancels + 10) {
		all.remember(attemptKey{attempt: i}, now)
	}
	if len(all.forgetAt) > maxCancels || all.has(attemptKey{attempt: 0}, now) || !all.has(attemptKey{attempt: maxCancels + 9}, now) {
		t.Fatalf("%d cancels are remembered", len(all.forgetAt))
	}
	twice := attemptKey{attempt: maxCancels + 9}
	all.remember(twice, now.Add(10*time.Second))
	all.remember(attemptKey{attempt: -1}, now.Add(cancelMemory))
	if !all.has(twice, now.Add(20*time.Second)) || len(all.forgetAt) != 2 {
		t.Fatal("a cancel that came again was forgotten with the first")
	}
}

func TestCompletionRate(t *testing.T) {
	now := time.Now()
	rate := newCompletionRate(now)
	rate.add(now.Add(10*time.Millisecond), 3)
	rate.add(now.Add(150*time.Millisecond), 4)
	for after, want := range map[time.Duration]int{160 * time.Millisecond: 7} {
		if got := rate.recent(now.Add(after)); got != want {
			t.Errorf("%d after %s", got, after)
		}
	}
	if got := rate.recent(now.Add(210 * time.Millisecond)); got != 4 {
		t.Errorf("%d after 210 ms", got)
	}
	if got := rate.recent(now.Add(time.Hour)); got != 0 {
		t.Errorf("%d after an hour", got)
	}
}

func TestBackoffGrows(t *testing.T) {
	for failures := 1; failures < 100; failures++ {
		most := min(maxBackoff, minBackoff<<min(failures-1, 10))
		for range 20 {
			if wait := backoff(failures, rpcerror.Facts{}, maxBackoff); wait < most/2 || wait > most {
				t.Fatalf("%s after %d failures", wait, failures)
			}
		}
	}
	if wait := backoff(1, rpcerror.Facts{RetryDelay: time.Minute}, maxBackoff); wait < time.Minute {
		t.Errorf("%s, though the server asked for a minute", wait)
	}
}

func TestFifo(t *testing.T) {
	var queue fifo[int]
	next := 0
	for i := range 10_000 {
		queue.push(i)
		if i%3 == 0 {
			continue
		}
		if got, ok := queue.shift(); !ok || got != next {
			t.Fatalf("%d, not %d", got, next)
		}
		next++
	}
	for ; queue.len() > 0; next++ {
		if got, _ := queue.shift(); got != next {
			t.Fatalf("%d, not %d", got, next)
		}
	}
	if _, ok := queue.shift(); ok || next != 10_000 {
		t.Fatal("the queue has more or less than was put in")
	}
}

func TestSlots(t *testing.T) {
	for slots, ok := range map[int]bool{0: false, 1: true, MaxSlots: true, MaxSlots + 1: false, -1: false} {
		if err := CheckSlots(slots); (err == nil) != ok {
			t.Errorf("%d slots: %v", slots, err)
		}
	}
}

// TestNumbersOfTheProtocol compares the constants with the documentation of the protocol, if it is present.
func TestNumbersOfTheProtocol(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/worker-protocol.md")
	if err != nil {
		t.Skip("the repository's documentation is not here")
	}
	ours := map[string]int64{
		"CREDIT_LIFE":          creditLife.Milliseconds(),
		"CREDIT_REPLACE_BELOW": creditReplaceBelow.Milliseconds(),
		"PREFETCH_WAIT":        prefetchWait.Milliseconds(),
		"CANCEL_MEMORY":        cancelMemory.Milliseconds(),
		"FENCE_MARGIN":         fenceMargin.Milliseconds(),
		"RUN_TIMEOUT_GRACE":    runTimeoutGrace.Milliseconds(),
		"DEFAULT_RUN_TIMEOUT":  DefaultRunTimeout.Milliseconds(),
		"MIN_BEAT_GAP":         minBeatGap.Milliseconds(),
		"MAX_BEATS_IN_FLIGHT":  maxBeatsInFlight,
		"MAX_HELD":             maxHeld,
		"MAX_SLOTS":            MaxSlots,
		"MAX_REPORTS":          maxReports,
		"MAX_REPORT_BYTES":     maxReportBytes,
		"MAX_UPDATES":          maxUpdates,
		"MAX_UPDATE_BYTES":     maxUpdateBytes,
		"LOG_DELAY":            logDelay.Milliseconds(),
		"LOG_GAP":              logGap.Milliseconds(),
		"MAX_LOG_BYTES":        maxLogBytes,
		"MAX_LOG_LINE_BYTES":   MaxLogLineBytes,
		"MAX_LOG_FIELDS":       MaxLogFields,
	}
	rows := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| ([0-9]+) \\|").FindAllSubmatch(page, -1)
	if len(rows) != len(ours) {
		t.Fatalf("the page names %d numbers, and %d are compared", len(rows), len(ours))
	}
	for _, row := range rows {
		value, _ := strconv.ParseInt(string(row[2]), 10, 64)
		if got, ok := ours[string(row[1])]; !ok || got != value {
			t.Errorf("%s is %d, and %d on the page", row[1], got, value)
		}
	}
}
