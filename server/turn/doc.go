// Package turn is the relay over which calls find their way through firewalls
// (TURN, RFC 8656, and STUN, RFC 8489), built on pion/turn.
//
// It answers only who holds a credential of ours: a user name that says until
// when, for whom and for which call, and its HMAC as the password (the REST
// scheme that coturn calls use-auth-secret). A relay is allotted while the
// call goes on, so many per user and in all, and reaches no machine of the
// network that the server stands in, unless that is switched on for trying
// things out at home.
//
// Other TURN and STUN servers may be named beside it or instead of it.
package turn
