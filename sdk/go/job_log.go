package muster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/muster-jobs/muster/sdk/go/internal/core"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// logHandler writes records to the attempt's log and to the worker's logger.
type logHandler struct {
	job    *Job
	worker slog.Handler
	// prefix is the key prefix of the open groups.
	prefix string
	attrs  []slog.Attr
}

func newLogHandler(job *Job) *logHandler {
	worker := job.worker.Handler().WithAttrs([]slog.Attr{
		slog.String("job_id", job.ID()),
		slog.Int("attempt", job.Attempt()),
	})
	return &logHandler{job: job, worker: worker}
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	h.job.keep(h.message(record))
	if !h.worker.Enabled(ctx, record.Level) {
		return nil
	}
	return h.worker.Handle(ctx, record)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	with := *h
	with.worker = h.worker.WithAttrs(attrs)
	with.attrs = append([]slog.Attr(nil), h.attrs...)
	for _, attr := range attrs {
		attr.Key = h.prefix + attr.Key
		with.attrs = append(with.attrs, attr)
	}
	return &with
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	with := *h
	with.worker = h.worker.WithGroup(name)
	with.prefix = h.prefix + name + "."
	return &with
}

func (h *logHandler) message(record slog.Record) *pb.LogRecord {
	at := record.Time
	if at.IsZero() {
		at = time.Now()
	}
	message := &pb.LogRecord{
		LogTime: timestamppb.New(at),
		Level:   levelOf(record.Level),
		Message: cut(record.Message, core.MaxLogLineBytes),
	}
	fields := logFields{record: message, space: core.MaxLogLineBytes - len(message.Message)}
	message.Truncated = len(message.Message) < len(record.Message)
	for _, attr := range h.attrs {
		fields.add("", attr)
	}
	record.Attrs(func(attr slog.Attr) bool {
		fields.add(h.prefix, attr)
		return true
	})
	return message
}

// logFields converts attributes to fields, up to the limits of a record.
type logFields struct {
	record *pb.LogRecord
	space  int
}

func (f *logFields) add(prefix string, attr slog.Attr) {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		if attr.Key != "" {
			prefix += attr.Key + "."
		}
		for _, inner := range value.Group() {
			f.add(prefix, inner)
		}
		return
	}
	if attr.Key == "" && value.Equal(slog.Value{}) {
		return
	}
	key, text := cut(prefix+attr.Key, core.MaxLogLineBytes), fieldText(value)
	size := len(key) + len(text)
	if len(f.record.Fields) >= core.MaxLogFields || size > f.space {
		f.record.Truncated = true
		return
	}
	f.space -= size
	if f.record.Fields == nil {
		f.record.Fields = map[string]string{}
	}
	f.record.Fields[key] = text
}

// fieldText never fails: a value that can't be encoded must not cost the handler its attempt.
func fieldText(value slog.Value) (text string) {
	defer func() {
		if recover() != nil {
			text = "(not to be written)"
		}
	}()
	switch value.Kind() {
	case slog.KindString, slog.KindTime, slog.KindDuration:
		return valid(value.String())
	case slog.KindAny:
		if err, ok := value.Any().(error); ok {
			return valid(err.Error())
		}
	}
	written, err := json.Marshal(value.Any())
	if err != nil {
		return valid(fmt.Sprint(value.Any()))
	}
	return string(written)
}

// valid leaves valid text unchanged and replaces invalid UTF-8 with U+FFFD. The result can exceed the limit of a record
// by one byte, so that text that is too long is dropped as a whole.
func valid(text string) string { return cut(text, core.MaxLogLineBytes+1) }

func levelOf(level slog.Level) pb.LogLevel {
	switch {
	case level < slog.LevelInfo:
		return pb.LogLevel_LOG_LEVEL_DEBUG
	case level < slog.LevelWarn:
		return pb.LogLevel_LOG_LEVEL_INFO
	case level < slog.LevelError:
		return pb.LogLevel_LOG_LEVEL_WARN
	default:
		return pb.LogLevel_LOG_LEVEL_ERROR
	}
}
