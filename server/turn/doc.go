// Package turn is the built-in relay for calls behind firewalls (TURN, RFC 8656,
// and STUN, RFC 8489), built on pion/turn.
//
// Requests need a credential: a user name that contains its expiry, the user, the
// session and the call, and its HMAC as the password (the REST scheme that coturn
// calls use-auth-secret). A relay is allocated only during the call, within limits
// per user and in total. It does not reach private networks, unless
// Config.AllowPrivate allows it for tests.
//
// Other TURN and STUN servers can be configured in addition or instead.
package turn
