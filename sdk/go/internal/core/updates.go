package core

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// updateBytes is the maximum size of an update without its checkpoint and its log records.
const updateBytes = 400

// attemptUpdate holds the newest update of one attempt. Each change increases the sequence, so that a late heartbeat
// does not overwrite a newer one.
type attemptUpdate struct {
	sequence int64
	// delivered is the newest sequence that an answered heartbeat has carried.
	delivered int64
	progress  *pb.Progress
	// checkpoint is cleared once a heartbeat that carried it was answered.
	checkpoint *pb.Payload
	// extension is the total time that the handler has requested beyond its run timeout; 0 if none.
	extension time.Duration
}

func (u *attemptUpdate) isPending() bool { return u != nil && u.sequence > u.delivered }

// sentUpdates is the content of one heartbeat and its attempts, so that the answer can be matched.
type sentUpdates struct {
	messages []*workerpb.ProgressUpdate
	attempts []sentUpdate
}

type sentUpdate struct {
	held     *held
	sequence int64
	logged   int64
}

// updates holds progress, checkpoints and log records that no heartbeat has carried yet.
type updates struct {
	changed map[*held]struct{}
	// line is the order of the changes; attempts that are no longer in changed are skipped.
	line []*held
}

func newUpdates() *updates { return &updates{changed: map[*held]struct{}{}} }

func (u *updates) pending() bool { return len(u.changed) > 0 }

func (u *updates) progress(entry *held, progress *pb.Progress) { u.change(entry).progress = progress }

func (u *updates) checkpoint(entry *held, checkpoint *pb.Payload) {
	u.change(entry).checkpoint = checkpoint
}

func (u *updates) extendRunTimeout(entry *held, extension time.Duration) {
	u.change(entry).extension = extension
}

func (u *updates) log(entry *held, record *pb.LogRecord) {
	if entry.logs == nil {
		entry.logs = &logTail{}
	}
	entry.logs.add(record)
	u.note(entry)
}

// collect returns the changes that fit into one heartbeat, and always at least the first one.
func (u *updates) collect() sentUpdates {
	var sent sentUpdates
	bytes := 0
	for _, entry := range u.inLine() {
		bytes += updateBytes + entry.logs.size()
		if entry.update != nil {
			bytes += len(entry.update.checkpoint.GetData())
		}
		if (bytes > maxUpdateBytes || len(sent.messages) >= maxUpdates) && len(sent.messages) > 0 {
			break
		}
		said := sentUpdate{held: entry, logged: entry.logs.lastSequence()}
		if entry.update != nil {
			said.sequence = entry.update.sequence
		}
		sent.attempts = append(sent.attempts, said)
		sent.messages = append(sent.messages, updateMessage(entry))
	}
	return sent
}

// delivered is called when a heartbeat was answered: values that have not changed since are not sent again.
func (u *updates) delivered(sent sentUpdates) {
	for _, said := range sent.attempts {
		update, logs := said.held.update, said.held.logs
		if logs != nil {
			logs.confirm(said.logged)
		}
		if update != nil && update.sequence == said.sequence {
			update.delivered = said.sequence
			update.checkpoint = nil
		}
		if !update.isPending() && logs.empty() {
			delete(u.changed, said.held)
		}
	}
}

// drop is called when an attempt is over: its pending update is dropped, and its log is sent with its report.
func (u *updates) drop(entry *held) { delete(u.changed, entry) }

func (u *updates) change(entry *held) *attemptUpdate {
	if entry.update == nil {
		entry.update = &attemptUpdate{}
	}
	entry.update.sequence++
	u.note(entry)
	return entry.update
}

func (u *updates) note(entry *held) {
	if _, ok := u.changed[entry]; ok {
		return
	}
	u.changed[entry] = struct{}{}
	u.line = append(u.line, entry)
}

// inLine returns the changed attempts, oldest change first, each once.
func (u *updates) inLine() []*held {
	seen := make(map[*held]struct{}, len(u.changed))
	line := make([]*held, 0, len(u.changed))
	for _, entry := range u.line {
		if _, changed := u.changed[entry]; !changed {
			continue
		}
		if _, twice := seen[entry]; twice {
			continue
		}
		seen[entry] = struct{}{}
		line = append(line, entry)
	}
	u.line = line
	return line
}

// updateMessage returns the changes of an attempt. If only log records are new, it carries nothing else.
func updateMessage(entry *held) *workerpb.ProgressUpdate {
	message := &workerpb.ProgressUpdate{JobId: entry.jobID, Attempt: entry.attempt, Logs: entry.logs.messages()}
	update := entry.update
	if update == nil {
		return message
	}
	message.Sequence = update.sequence
	if !update.isPending() {
		return message
	}
	message.Progress = update.progress
	message.Checkpoint = update.checkpoint
	if update.extension > 0 {
		message.RunTimeoutExtension = durationpb.New(update.extension)
	}
	return message
}
