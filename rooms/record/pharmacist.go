package record

import (
	"context"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/audit"
)

func (s *Service) myPermissions(ctx context.Context, actor rooms.Actor, _ rooms.Nothing) (MyPermissions, error) {
	is, err := s.store.Pharmacist(ctx, actor.UserID)
	return MyPermissions{Pharmacist: is, Policy: s.cfg.Policy}, err
}

func (s *Service) pharmacists(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (PharmacistList, error) {
	list, err := s.store.Pharmacists(ctx)
	return PharmacistList{Items: orEmpty(list)}, err
}

// appoint makes a user a pharmacist, or one no more.
func (s *Service) appoint(is bool) func(context.Context, rooms.Actor, account.UserInput) (rooms.Nothing, error) {
	command := DismissPharmacist.Name
	if is {
		command = AppointPharmacist.Name
	}
	return func(ctx context.Context, actor rooms.Actor, in account.UserInput) (rooms.Nothing, error) {
		if is && actor.UserID == in.UserID {
			return rooms.Nothing{}, rooms.Forbidden("nobody makes themselves a pharmacist, who can read prescriptions; another admin can")
		}
		return rooms.Nothing{}, s.store.InTx(ctx, func(tx Tx) error {
			user, err := tx.User(in.UserID)
			if err != nil {
				return err
			}
			if is && user.Role == rooms.RolePatient {
				return rooms.Invalid("userId", "a pharmacist is a doctor or an admin")
			}
			if user.Role == rooms.RoleDoctor && is {
				if d, err := tx.Doctor(user.ID); err != nil || !d.Verified {
					return rooms.Invalid("userId", "the doctor's licence has not been verified")
				}
			}
			if err := tx.SetPharmacist(user.ID, is); err != nil {
				return err
			}
			return audit.Append(tx, actor, s.now(), audit.RoleChanged, "user:"+string(user.ID), func(e *audit.LogEntry) { e.Detail = command })
		})
	}
}
