// Package account knows who people are: users and their roles, logins and
// their sessions, doctors' public profiles and the patients in a user's care.
//
// A login makes a session: a short access token (a signed JWT) and a refresh
// token that is used once and replaced. A refresh token that is used a second
// time is taken for stolen and ends its session. Revoking a session, or
// suspending its user, takes effect on the next command and cuts its sockets.
package account
