// Package billing is what consultations cost and how the money comes and goes.
//
// An order is made with a consultation that has a price, in the same
// transaction. A payment is one try to pay it at one gateway. A charge is
// money that a gateway says it has taken, known by the gateway's own number
// for it, which a unique index knows: told twice is told once. A refund is
// money that goes back; its intent is written in the transaction of what
// caused it, and a worker carries it out until it is done.
//
//	order    created ⇄ failed → paid → refunding → refunded | partially_refunded
//	         created, failed → closed → (paid late) paid | refunding
//	payment  open → paid | failed | closed
//	refund   pending → succeeded | failed
//
// Whatever a gateway says (by a callback, asked by the worker, asked at night)
// goes through one function, settle, in one transaction. What was taken for an
// order that is closed, or a second time, goes back whole. So the sum of all
// charges is always what was kept for services plus what went or goes back.
//
// Nothing here trusts a callback's arrival: an open payment is asked about
// until it is over, and every day is compared with the gateways once it is.
package billing
