// Package mail sends e-mail through an SMTP server (RFC 5321).
//
// What to say is a Letter: a few lines and a button, which become a message in
// text and in HTML; Sender sends it. A message keeps its Message-ID however
// often it is tried again, so that a recipient's mailbox can tell a message
// that came twice.
package mail
