package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wenzhen.example/rooms"
)

// TicketKind says what a ticket is for. One of another kind is no ticket.
type TicketKind string

// The kinds of tickets.
const (
	ticketVerify      TicketKind = "verify-email"
	ticketReset       TicketKind = "reset-password"
	ticketRegister    TicketKind = "register"     // an account that is to be
	ticketProvider    TicketKind = "provider"     // a browser is on its way to a provider and back
	ticketLogin       TicketKind = "login"        // it came back; the login can be finished
	ticketNewPasskey  TicketKind = "passkey-add"  // a passkey is being made
	ticketPasskey     TicketKind = "passkey-use"  // a passkey is being asked for
	calendarFeed      TicketKind = "calendar"     // the address of a calendar feed, which is no row of the tickets
	ticketLogoutToken TicketKind = "logout-token" // a provider's logout token, which is not taken twice
)

// Ticket lets something be done once. Its holder has id and seal; the store
// has no seal, so that who reads the database can use none.
type Ticket struct {
	ID      string
	Kind    TicketKind
	UserID  rooms.UserID    // "" while it is nobody's
	Data    json.RawMessage // what the thing to be done needs
	Expires time.Time
}

// signTicket is the secret that goes with a ticket. It can be made again, so
// that a mail which is sent later, or twice, carries the same.
func (s *Service) signTicket(kind TicketKind, id string) string {
	mac := hmac.New(sha256.New, s.secret("ticket"))
	mac.Write([]byte(string(kind) + "\n" + id))
	return id + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ticketID reads what its holder brought; ok is false for what we never made.
func (s *Service) ticketID(kind TicketKind, secret string) (id string, ok bool) {
	id, _, _ = strings.Cut(secret, ".")
	return id, subtle.ConstantTimeCompare([]byte(s.signTicket(kind, id)), []byte(secret)) == 1
}

// newTicket makes and keeps a ticket and returns what its holder gets.
func (s *Service) newTicket(tx Tx, kind TicketKind, user rooms.UserID, life time.Duration, data any) (string, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("ticket %s: %w", kind, err)
	}
	id := rand.Text()
	return s.signTicket(kind, id), tx.InsertTicket(Ticket{ID: id, Kind: kind, UserID: user, Data: raw, Expires: s.now().Add(life)})
}

// takeTicket uses a ticket up and reads its data into data. Errors:
// not_found for one that is used, out of date or was never given out.
func (s *Service) takeTicket(tx Tx, kind TicketKind, secret string, data any) (Ticket, error) {
	id, ok := s.ticketID(kind, secret)
	if !ok {
		return Ticket{}, rooms.NotFound("ticket")
	}
	t, err := tx.TakeTicket(id)
	if err != nil {
		return Ticket{}, err
	}
	if t.Kind != kind || !t.Expires.After(s.now()) {
		return Ticket{}, rooms.NotFound("ticket")
	}
	return t, json.Unmarshal(t.Data, data)
}

// hasTicket tells without using it up whether a ticket can be used, before
// work is done that costs something.
func (s *Service) hasTicket(ctx context.Context, kind TicketKind, secret string) (bool, error) {
	id, ok := s.ticketID(kind, secret)
	if !ok {
		return false, nil
	}
	t, err := s.store.Ticket(ctx, id)
	if rooms.CodeOf(err) == rooms.CodeNotFound {
		return false, nil
	}
	return err == nil && t.Kind == kind && t.Expires.After(s.now()), err
}
