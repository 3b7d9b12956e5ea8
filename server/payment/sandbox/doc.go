// Package sandbox is the payment gateway that is built in: it takes play money
// on a checkout page of our own, and can be made to fail, to be slow, to take
// twice, to call back late, again or in the wrong order. It keeps its own books
// beside ours and signs what it calls back with, so that billing treats it as
// it treats any gateway.
//
// A callback has the header Sandbox-Signature: t=<unix seconds>,v1=<hex of
// HMAC-SHA256 of "<t>.<body>">, and is refused after five minutes.
package sandbox
