// Package uuid makes and reads UUIDs in Muster's text form.
package uuid

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// New makes a random UUID (version 4), as text.
func New() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: on an error it ends the program
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return Text(id[:])
}

// Text writes 16 bytes as 36 characters.
func Text(id []byte) string {
	if len(id) != 16 {
		return hex.EncodeToString(id)
	}
	text := hex.EncodeToString(id)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// Bytes reads the form that Text writes.
func Bytes(text string) ([]byte, error) {
	id, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(id) != 16 {
		return nil, fmt.Errorf("%q is no UUID", text)
	}
	return id, nil
}
