// Package billing is what consultations cost and how the money comes and goes.
//
// An order is made with a consultation that has a price, in the same
// transaction. A payment is one attempt to pay it at one gateway. A charge is
// money that a gateway reports as taken. It is identified by the gateway's
// number, which has a unique index, so a repeated report has no effect. A
// refund returns money; its intent is written in the transaction of its cause,
// and a worker repeats it until it is done.
//
//	order    created ⇄ failed → paid → refunding → refunded | partially_refunded
//	         created, failed → closed → (paid late) paid | refunding
//	payment  open → paid | failed | closed
//	refund   pending → succeeded | failed
//
// All states that a gateway reports (in a callback, to the worker, in the
// nightly comparison) go through one function, settle, in one transaction.
// Money for an order that is closed or already paid is refunded in full. So the
// sum of all charges always equals what was kept for services plus all refunds,
// done and pending.
//
// Nothing here trusts a callback's arrival: an open payment is asked about
// until it is over, and every day is compared with the gateways once it is.
package billing
