package muster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	pb "github.com/muster-jobs/muster/sdk/go/musterpb"
)

// Content types of payloads.
const (
	JSONType     = "application/json"
	BytesType    = "application/octet-stream"
	ProtobufType = "application/x-protobuf"
)

// PayloadError is the error for a value that can't be encoded as a payload, or a payload that does not fit the
// requested type. A handler whose input has this error fails without a retry, with a failure of the type
// "PayloadError".
type PayloadError struct {
	Message string
	Err     error
}

func (e *PayloadError) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the error of the encoder or decoder.
func (e *PayloadError) Unwrap() error { return e.Err }

// NewPayload makes a payload with the given content type: at most 512 KiB of data, a type of at most 128 characters.
func NewPayload(data []byte, contentType string) *pb.Payload {
	return &pb.Payload{Data: data, ContentType: contentType}
}

// Encode converts a value to a payload: a *musterpb.Payload stays as it is, []byte becomes application/octet-stream,
// any other protobuf message application/x-protobuf, a [json.RawMessage] and everything else application/json. An
// untyped nil becomes a nil payload.
//
// Errors: *[PayloadError].
func Encode(value any) (*pb.Payload, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case *pb.Payload:
		return value, checkText(value)
	case []byte:
		return NewPayload(value, BytesType), nil
	case json.RawMessage:
		if !json.Valid(value) {
			return nil, &PayloadError{Message: "the json.RawMessage is not valid JSON"}
		}
		return NewPayload(value, JSONType), nil
	case proto.Message:
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(value)
		if err != nil {
			return nil, &PayloadError{fmt.Sprintf("%T can't be written as protobuf", value), err}
		}
		return NewPayload(data, ProtobufType), nil
	default:
		return encodeJSON(value)
	}
}

func encodeJSON(value any) (*pb.Payload, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, &PayloadError{fmt.Sprintf("%T can't be written as JSON", value), err}
	}
	return NewPayload(bytes.TrimSuffix(text.Bytes(), []byte("\n")), JSONType), nil
}

// Decode reads a payload into a value: the reverse of [Encode]. T decides:
//
//   - *musterpb.Payload returns the payload unchanged, []byte its data whatever its type, [json.RawMessage] a JSON
//     text;
//   - a pointer to a generated message accepts protobuf, or JSON in protobuf's own mapping;
//   - any accepts JSON as package json decodes it, the bytes of any other type, and nil if there is no payload;
//   - everything else accepts JSON; without a payload it is the zero value.
//
// JSON types are application/json and those that end in +json. Errors: *[PayloadError].
func Decode[T any](payload *pb.Payload) (T, error) {
	var value T
	err := decodeInto(payload, &value)
	return value, err
}

func decodeInto(payload *pb.Payload, target any) error {
	switch target := target.(type) {
	case **pb.Payload:
		*target = payload
		return nil
	case *[]byte:
		*target = payload.GetData()
		return nil
	case *any:
		return decodeAny(payload, target)
	}
	if isEmpty(payload) {
		return nil
	}
	if message := messageIn(target); message != nil {
		return decodeMessage(payload, message)
	}
	if !isJSONType(payload.ContentType) {
		return &PayloadError{Message: fmt.Sprintf("a payload of the type %q can't be read into %T", payload.ContentType, target)}
	}
	if raw, ok := target.(*json.RawMessage); ok {
		*raw = payload.Data
		return nil
	}
	if err := json.Unmarshal(payload.Data, target); err != nil {
		return &PayloadError{fmt.Sprintf("the payload does not fit %s", reflect.TypeOf(target).Elem()), err}
	}
	return nil
}

func decodeAny(payload *pb.Payload, target *any) error {
	switch {
	case isEmpty(payload):
		*target = nil
	case isJSONType(payload.ContentType):
		if err := json.Unmarshal(payload.Data, target); err != nil {
			return &PayloadError{"the content type is JSON, but the data is not valid JSON", err}
		}
	default:
		*target = payload.Data
	}
	return nil
}

// messageIn allocates the message if target is a pointer to a pointer to a generated message, and returns it; otherwise
// it returns nil.
func messageIn(target any) proto.Message {
	pointer := reflect.ValueOf(target).Elem()
	if pointer.Kind() != reflect.Pointer {
		return nil
	}
	if _, ok := pointer.Interface().(proto.Message); !ok {
		return nil
	}
	pointer.Set(reflect.New(pointer.Type().Elem()))
	return pointer.Interface().(proto.Message)
}

func decodeMessage(payload *pb.Payload, message proto.Message) error {
	name := message.ProtoReflect().Descriptor().FullName()
	var err error
	switch {
	case payload.ContentType == ProtobufType || payload.ContentType == "application/protobuf" || payload.ContentType == "":
		err = proto.Unmarshal(payload.Data, message)
	case isJSONType(payload.ContentType):
		err = unmarshalProtoJSON(payload.Data, message)
	default:
		err = errors.New("its type is " + payload.ContentType)
	}
	if err != nil {
		return &PayloadError{fmt.Sprintf("the payload can't be read as %s", name), err}
	}
	return nil
}

func isEmpty(payload *pb.Payload) bool {
	return payload == nil || (len(payload.Data) == 0 && payload.ContentType == "")
}

func isJSONType(contentType string) bool {
	if contentType == JSONType {
		return true
	}
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == JSONType || strings.HasSuffix(kind, "+json")
}

// checkText rejects text that is not UTF-8: protobuf would refuse it, and with it everything in the same message.
func checkText(payload *pb.Payload) error {
	valid := payload == nil || utf8.ValidString(payload.ContentType)
	if payload != nil {
		for key, value := range payload.Metadata {
			valid = valid && utf8.ValidString(key) && utf8.ValidString(value)
		}
	}
	if !valid {
		return &PayloadError{Message: "the payload's content type or metadata is not UTF-8"}
	}
	return nil
}
