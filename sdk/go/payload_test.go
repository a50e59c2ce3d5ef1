package muster_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/muster-jobs/muster/sdk/go"
	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

type order struct {
	Article string `json:"article"`
	Count   int    `json:"count"`
}

func TestEncode(t *testing.T) {
	own := muster.NewPayload([]byte("<a/>"), "text/xml")
	for name, test := range map[string]struct {
		value      any
		data, kind string
	}{
		"a struct":         {order{"<tea>", 2}, `{"article":"<tea>","count":2}`, muster.JSONType},
		"text":             {"x", `"x"`, muster.JSONType},
		"a nil map":        {map[string]int(nil), `null`, muster.JSONType},
		"JSON as it is":    {json.RawMessage("{ \"a\" : 1 }"), "{ \"a\" : 1 }", muster.JSONType},
		"bytes":            {[]byte{0, 255}, "\x00\xff", muster.BytesType},
		"a payload":        {own, "<a/>", "text/xml"},
		"another message":  {&pb.Progress{Message: "m"}, "\x12\x01m", muster.ProtobufType},
		"a pointer inside": {&order{Article: "a"}, `{"article":"a","count":0}`, muster.JSONType},
	} {
		payload, err := muster.Encode(test.value)
		if err != nil || string(payload.Data) != test.data || payload.ContentType != test.kind {
			t.Errorf("%s: %v, %v", name, payload, err)
		}
	}
	if payload, err := muster.Encode(nil); payload != nil || err != nil {
		t.Errorf("nil: %v, %v", payload, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, value := range map[string]any{
		"a function":       func() {},
		"not a number":     math.NaN(),
		"half JSON":        json.RawMessage("{"),
		"a type not UTF-8": muster.NewPayload(nil, "\xff"),
		"other text":       &pb.Payload{Metadata: map[string]string{"a": "\xff"}},
	} {
		var refused *muster.PayloadError
		if _, err := muster.Encode(value); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecode(t *testing.T) {
	text := muster.NewPayload([]byte(`{"article":"tea","count":2}`), "application/vnd.shop+json; charset=utf-8")
	check(t, text, order{"tea", 2})
	check(t, text, &order{"tea", 2})
	check[any](t, text, map[string]any{"article": "tea", "count": 2.0})
	check(t, text, json.RawMessage(text.Data))
	check(t, text, text.Data)
	check(t, text, text)

	image := muster.NewPayload([]byte{1, 2}, "image/png")
	check(t, image, []byte{1, 2})
	check[any](t, image, []byte{1, 2})

	check(t, nil, order{})
	check[any](t, nil, nil)
	check[*order](t, nil, nil)
	check(t, &pb.Payload{}, 0)
	check[*pb.Payload](t, nil, nil)
}

func check[T any](t *testing.T, payload *pb.Payload, want T) {
	t.Helper()
	got, err := muster.Decode[T](payload)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v; %v", got, want, err)
	}
}

func TestDecodeMessages(t *testing.T) {
	for _, payload := range []*pb.Payload{
		muster.NewPayload([]byte("\x12\x01m"), muster.ProtobufType),
		muster.NewPayload([]byte("\x12\x01m"), ""),
		muster.NewPayload([]byte(`{"message":"m"}`), muster.JSONType),
	} {
		progress, err := muster.Decode[*pb.Progress](payload)
		if err != nil || progress.GetMessage() != "m" {
			t.Errorf("%v: %v, %v", payload, progress, err)
		}
	}
	if progress, err := muster.Decode[*pb.Progress](nil); progress != nil || err != nil {
		t.Errorf("no payload: %v, %v", progress, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	refused := func(name string, err error) {
		t.Helper()
		var mismatch *muster.PayloadError
		if !errors.As(err, &mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := muster.Decode[order](muster.NewPayload([]byte(`{"count":"many"}`), muster.JSONType))
	refused("another type", err)
	_, err = muster.Decode[order](muster.NewPayload([]byte("x"), "image/png"))
	refused("no JSON", err)
	_, err = muster.Decode[any](muster.NewPayload([]byte("{"), muster.JSONType))
	refused("half JSON", err)
	_, err = muster.Decode[*pb.Progress](muster.NewPayload([]byte("\xff"), muster.ProtobufType))
	refused("no message", err)
	_, err = muster.Decode[*pb.Progress](muster.NewPayload([]byte("x"), "image/png"))
	refused("an image", err)
}
