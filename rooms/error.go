package rooms

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an Error is. Codes are part of the contract
// with clients: they are added to, never renamed.
type Code string

// The codes of every failure that a client can meet.
const (
	CodeInvalid         Code = "invalid"
	CodeUnauthenticated Code = "unauthenticated"
	CodeForbidden       Code = "forbidden"
	CodeNotFound        Code = "not_found"
	CodeConflict        Code = "conflict"
	CodeClosed          Code = "closed"
	CodePaymentRequired Code = "payment_required"
	CodeRateLimited     Code = "rate_limited"
	CodeTooLarge        Code = "too_large"
	CodeUnavailable     Code = "unavailable"
	CodeInternal        Code = "internal"
)

// Error is the one error that leaves the domain. The same object is a Socket.IO
// acknowledgement's error, the extension members of a REST problem (RFC 9457)
// and what the Go client returns.
type Error struct {
	Code Code `json:"code"`
	// Field is the path of the input field at fault, in the input's own JSON names.
	Field string `json:"field,omitempty"`
	// Message is English text for a developer; frontends translate by Code.
	Message string `json:"message"`
	// Retryable tells that the same command may succeed later, unchanged.
	Retryable bool `json:"retryable"`
	// RetryAfterMs is how long to wait before trying again, in milliseconds.
	RetryAfterMs int64 `json:"retryAfterMs,omitempty"`
	// TraceID finds the failure in the server's log.
	TraceID string `json:"traceId,omitempty"`
	// Status is the present state of the thing that a conflict is about.
	Status string `json:"status,omitempty"`
	// Warnings are what a prescription was refused for, as prescription:check
	// answers them.
	Warnings json.RawMessage `json:"warnings,omitempty"`

	cause error
}

// Error implements error.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause that stays on the server.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an *Error of the same code, so that
// errors.Is(err, &Error{Code: CodeConflict}) works on wrapped errors.
func (e *Error) Is(target error) bool {
	var t *Error
	return errors.As(target, &t) && t.Code == e.Code
}

// CodeOf is the code of err: "" for nil, CodeInternal for an error that is
// none of ours.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return CodeInternal
}

func failure(code Code, field, format string, args []any) *Error {
	return &Error{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Invalid is bad input: field names it.
func Invalid(field, format string, args ...any) *Error {
	return failure(CodeInvalid, field, format, args)
}

// TooLarge is input over a limit.
func TooLarge(field, format string, args ...any) *Error {
	return failure(CodeTooLarge, field, format, args)
}

// Conflict is a command that the present state refuses; status names that state.
func Conflict(status, format string, args ...any) *Error {
	e := failure(CodeConflict, "", format, args)
	e.Status = status
	return e
}

// OutOfDate returns the conflict of a change to what, such as "the schedule", that
// was based on another version than the present one. It names the field version.
func OutOfDate(what string, present int64) *Error {
	return failure(CodeConflict, "version", "%s has changed meanwhile: it is at version %d", []any{what, present})
}

// Closed is a command on something that is permanently read-only.
func Closed(format string, args ...any) *Error { return failure(CodeClosed, "", format, args) }

// Forbidden is a command that the actor's role does not allow. It is used
// only where the actor may know that the thing exists.
func Forbidden(format string, args ...any) *Error { return failure(CodeForbidden, "", format, args) }

// NotFound is a thing that does not exist, or that the actor may not know of.
func NotFound(what string) *Error {
	return &Error{Code: CodeNotFound, Message: "no such " + what}
}

// Unauthenticated asks for a (new) login.
func Unauthenticated(format string, args ...any) *Error {
	return failure(CodeUnauthenticated, "", format, args)
}

// RateLimited refuses for a while.
func RateLimited(after time.Duration, format string, args ...any) *Error {
	e := failure(CodeRateLimited, "", format, args)
	e.Retryable = true
	e.RetryAfterMs = max(1, after.Milliseconds())
	return e
}

// ErrDamaged is the cause of an error where what is stored cannot be read: it was
// changed, belongs elsewhere, or was not written by this server. It stays so.
var ErrDamaged = errors.New("what is stored cannot be read")

// ErrNotWritable is the cause of an error where the database answers but takes
// no writes: its disk is full or read-only, or it is a standby.
var ErrNotWritable = errors.New("the database takes no writes")

// Unavailable is a failure that passes by itself: full queue, shutdown, deadline.
func Unavailable(cause error, format string, args ...any) *Error {
	e := failure(CodeUnavailable, "", format, args)
	e.Retryable = true
	e.cause = cause
	return e
}

// Unknown is the failure of a transaction that did not end before its deadline:
// it may be committed all the same.
func Unknown(cause error) *Error {
	return Unavailable(cause, "the database did not answer in time; it is unknown whether this was done, and safe to send it again")
}

// Internal hides cause from clients; it is logged once, at the edge.
func Internal(cause error) *Error {
	return &Error{Code: CodeInternal, Message: "something went wrong on the server", cause: cause}
}

// Broken is a fault on the server that only its operator can fix. Unlike
// Internal it has a message for the client; cause is logged, too.
func Broken(cause error, format string, args ...any) *Error {
	e := failure(CodeInternal, "", format, args)
	e.cause = cause
	return e
}
