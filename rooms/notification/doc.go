// Package notification is what reaches people who were not there: a durable
// inbox per user, which goes out to their devices, to Web Push and by e-mail.
//
// The inbox is fed from the logs of all rooms by one durable cursor. A batch of
// events becomes notifications in one transaction, which also moves the cursor:
//
//	log ──▶ readLog ─▶ rules ─▶ notification + notification:created + deliveries + cursor
//	                                     │ commit
//	               devices ◀─────────────┤
//	       push, mail workers ◀──────────┘ rows that are due
//
// So each event is handled exactly once, also across crashes and with several
// nodes. Deliveries outside the server cannot be exactly once: a worker leases
// a delivery, sends it, and records that; if it crashes in between, the
// delivery is sent again. Mails are sent one at a time, so a crash duplicates
// at most one of them, with the same Message-ID. A push that arrives twice
// replaces itself (its tag).
//
// Nobody is pushed what they are viewing: what happens in a consultation
// that one of a user's pages shows, on whichever node, is read at once, and a
// push waits for a moment in which a device may say that it was seen.
package notification
