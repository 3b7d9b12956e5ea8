package account

import (
	"context"

	"wenzhen.example/rooms/store/engine"
)

// MarkDemo remembers that the demo makes the accounts with these addresses. It
// is called before it does.
func (s Store) MarkDemo(ctx context.Context, emails []string) error {
	return s.DB.InTx(ctx, func(tx *engine.Tx) error {
		for _, email := range emails {
			if err := tx.Exec(`INSERT INTO demo_accounts (email) VALUES ($1) ON CONFLICT (email) DO NOTHING`, email); err != nil {
				return err
			}
		}
		return nil
	})
}

// ActiveDemo are the addresses of accounts that the demo has made and that are
// neither suspended nor erased.
func (s Store) ActiveDemo(ctx context.Context) ([]string, error) {
	return engine.Collect(ctx, s.Reads(), func(row engine.Scanner) (string, error) {
		var email string
		return email, row.Scan(&email)
	}, `SELECT u.email FROM users u JOIN demo_accounts d ON d.email = u.email WHERE u.suspended = 0 ORDER BY u.email`)
}
