// Package consultation holds what a consultation is: one session between a
// patient and a doctor, who may enter it, and how it moves from the waiting
// queue to its end.
//
// The whole state machine is the table in machine.go. A transition writes the
// consultation, its timer, its refund intent and its event in one transaction.
package consultation
