package muster

import (
	"math"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

const (
	maxProgressMessage = 256
	maxProgressUnit    = 32
	maxProgressCount   = 1<<53 - 1
)

// ProgressCounts is what a handler has done, as a count of units. With a total, Muster estimates from it when the
// handler is done.
type ProgressCounts struct {
	// Done is the number of units that are done, from 0 to 2^53 - 1.
	Done int64
	// Total is the number of units in all. 0 or less: not known.
	Total int64
	// Unit is what is counted, such as "rows"; cut after 32 characters. Empty: not said.
	Unit string
}

// Progress reports the handler's progress: a fraction, limited to the range from 0 to 1, and a readable message, cut
// after 256 characters; it may be empty. It is sent within a second.
func (j *Job) Progress(fraction float64, message string) {
	if math.IsNaN(fraction) {
		fraction = 0
	}
	j.report(&pb.Progress{Fraction: min(1, max(0, fraction))}, message)
}

// ProgressCounts reports the handler's progress as a count of units, with a readable message, cut after 256 characters;
// it may be empty. It is sent within a second.
func (j *Job) ProgressCounts(counts ProgressCounts, message string) {
	done, total := boundedCount(counts.Done), boundedCount(counts.Total)
	progress := &pb.Progress{Done: &done, Unit: firstCharacters(counts.Unit, maxProgressUnit)}
	if total > 0 {
		progress.Total = &total
		progress.Fraction = min(1, float64(done)/float64(total))
	}
	j.report(progress, message)
}

func (j *Job) report(progress *pb.Progress, message string) {
	progress.Message = firstCharacters(message, maxProgressMessage)
	j.whileRunning(func() { j.outlet.Progress(progress) })
}

func boundedCount(count int64) int64 { return min(maxProgressCount, max(0, count)) }

func firstCharacters(text string, most int) string { return firstRunes(cut(text, 4*most), most) }
