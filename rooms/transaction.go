package rooms

import "context"

// Transactions is the part of a feature's store that writes. Tx is what a
// transaction of the feature can do.
type Transactions[Tx any] interface {
	// InTx runs f in one transaction, which commits if f returns nil; its events
	// are published after the commit. It is for what has no result; InTx, the
	// function, is for what has one.
	InTx(ctx context.Context, f func(Tx) error) error
}

// InTx runs f in one transaction of store, and returns what f returned once the
// transaction has committed. With an error there is no result.
//
// The result belongs to the transaction until it has ended. If ctx ends first,
// f may still be running: the caller gets the error that the outcome is unknown
// and that the command is safe to send again, and shares nothing with f. So f
// assigns no variable of the function around it: that would race with the
// caller, and would still be there when f runs again.
func InTx[Tx, Result any](ctx context.Context, store Transactions[Tx], f func(Tx) (Result, error)) (Result, error) {
	var result, none Result
	err := store.InTx(ctx, func(tx Tx) error {
		r, err := f(tx)
		if err == nil {
			result = r
		}
		return err
	})
	if err != nil { // the transaction may not have ended
		return none, err
	}
	return result, nil
}
