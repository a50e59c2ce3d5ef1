package natsbus

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/muster-jobs/muster/sdk/go/musterpb/workerpb"
)

// accounts are an operator and an account of a NATS server with JWTs. The account signs users.
type accounts struct {
	t       *testing.T
	account nkeys.KeyPair
	// config is their part of the server's configuration.
	config string
}

func newAccounts(t *testing.T) *accounts {
	t.Helper()
	operator, err := nkeys.CreateOperator()
	if err != nil {
		t.Fatal(err)
	}
	a := &accounts{t: t}
	if a.account, err = nkeys.CreateAccount(); err != nil {
		t.Fatal(err)
	}
	limits := map[string]any{"subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": true}
	signed := a.token(operator, a.account, map[string]any{"type": "account", "limits": limits}, time.Time{})
	a.config = fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: { %s: %s }\n",
		a.token(operator, operator, map[string]any{"type": "operator"}, time.Time{}), a.key(a.account), signed)
	return a
}

// user makes a user who may subscribe to one subject until the given time; zero: without end.
func (a *accounts) user(subject string, mayPublish bool, expireAt time.Time) *workerpb.NatsCredentials {
	a.t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		a.t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		a.t.Fatal(err)
	}
	content := map[string]any{
		"type": "user", "sub": map[string]any{"allow": []string{subject}}, "pub": map[string]any{}, "subs": -1, "data": -1, "payload": -1,
	}
	if !mayPublish {
		content["pub"] = map[string]any{"deny": []string{">"}}
	}
	return &workerpb.NatsCredentials{Jwt: a.token(a.account, pair, content, expireAt), Seed: string(seed)}
}

func (a *accounts) key(pair nkeys.KeyPair) string {
	key, err := pair.PublicKey()
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *accounts) token(issuer, subject nkeys.KeyPair, content map[string]any, expireAt time.Time) string {
	a.t.Helper()
	content["version"] = 2
	claims := map[string]any{
		"jti": a.key(subject), "iat": time.Now().Unix(), "iss": a.key(issuer), "sub": a.key(subject), "name": content["type"], "nats": content,
	}
	if !expireAt.IsZero() {
		claims["exp"] = expireAt.Unix()
	}
	part := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			a.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	body := part(map[string]string{"typ": "JWT", "alg": "ed25519-nkey"}) + "." + part(claims)
	signature, err := issuer.Sign([]byte(body))
	if err != nil {
		a.t.Fatal(err)
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(signature)
}
