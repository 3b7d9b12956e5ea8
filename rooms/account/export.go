package account

import (
	"context"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/audit"
)

// Export begins an export of the caller's data.
var Export = rooms.Command[rooms.Nothing, Exported]{Name: "account:export", For: rooms.Users, Access: rooms.Own,
	Doc: "Export all data of the caller as a ZIP archive: JSON, FHIR, pages to read, files. Requires a confirmation of " +
		"identity, unless the caller has just logged in; at most 10 a day; entered in the audit log."}

// Exported is an export that has begun.
type Exported struct {
	UserID rooms.UserID `json:"userId"`
	At     time.Time    `json:"at"`
}

// exportsADay is how many exports one may begin within a day.
const exportsADay = 10

func (s *Service) export(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (Exported, error) {
	return rooms.InTx(ctx, s.store, func(tx Tx) (Exported, error) {
		now := s.now()
		if err := s.recentlyAuthenticated(tx, actor); err != nil {
			return Exported{}, err
		}
		if err := attempt(tx, "export:"+string(actor.UserID), exportsADay, 24*time.Hour, now); err != nil {
			return Exported{}, err
		}
		return Exported{UserID: actor.UserID, At: now}, audit.Append(tx, actor, now, audit.ExportRead, "user:"+string(actor.UserID), nil)
	})
}
