package core

import (
	"google.golang.org/protobuf/proto"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// logTail holds the newest unacknowledged log records of an attempt. When there are too many, only the oldest are
// dropped.
type logTail struct {
	records []*pb.LogRecord
	sizes   []int
	bytes   int
}

func (t *logTail) empty() bool { return t == nil || len(t.records) == 0 }

func (t *logTail) size() int {
	if t == nil {
		return 0
	}
	return t.bytes
}

// lastSequence is the sequence of the newest record; 0 if there is none.
func (t *logTail) lastSequence() int64 {
	if t.empty() {
		return 0
	}
	return t.records[len(t.records)-1].Sequence
}

func (t *logTail) add(record *pb.LogRecord) {
	size := frameBytes + proto.Size(record)
	t.records = append(t.records, record)
	t.sizes = append(t.sizes, size)
	t.bytes += size
	for t.bytes > maxLogBytes && len(t.records) > 1 {
		t.shift()
	}
}

// confirm removes the records that have arrived.
func (t *logTail) confirm(sequence int64) {
	for !t.empty() && t.records[0].Sequence <= sequence {
		t.shift()
	}
}

// messages returns all records and keeps them.
func (t *logTail) messages() []*pb.LogRecord {
	if t == nil {
		return nil
	}
	return append([]*pb.LogRecord(nil), t.records...)
}

func (t *logTail) shift() {
	t.bytes -= t.sizes[0]
	t.records[0] = nil
	t.records, t.sizes = t.records[1:], t.sizes[1:]
}
