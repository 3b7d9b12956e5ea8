package consultation

import (
	"context"
	"strings"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// CaseFilter narrows what an admin finds. Limit is 1 to 100, 20 by default.
type CaseFilter struct {
	Q      string `json:"q,omitempty" limit:"..100"` // an id, or part of the patient's name
	Status Status `json:"status,omitempty"`          // one state, or several with commas
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit,omitempty" limit:"1..100"`
}

// Case is a consultation as an admin sees it without breaking the glass: whose it
// is, and not whom they consult.
type Case struct {
	ID          ID                  `json:"id"`
	Status      Status              `json:"status"`
	Service     account.ServiceKind `json:"service"`
	Medium      account.Medium      `json:"medium"`
	UserID      rooms.UserID        `json:"userId"`
	PatientID   account.PatientID   `json:"patientId"`
	PatientName string              `json:"patientName"`
	CreatedAt   time.Time           `json:"createdAt"`
	UpdatedAt   time.Time           `json:"updatedAt"`
	ScheduledAt *time.Time          `json:"scheduledAt,omitempty"`
}

// CasePage is a page of cases; NextCursor is empty on the last.
type CasePage struct {
	Items      []Case `json:"items"`
	NextCursor string `json:"nextCursor"`
}

// CaseQuery is a page of everyone's consultations, the latest first.
type CaseQuery struct {
	Text     string
	Statuses []Status // empty for all
	After    *rooms.Cursor
	Limit    int
}

func (s *Service) cases(ctx context.Context, _ rooms.Actor, in CaseFilter) (CasePage, error) {
	q := CaseQuery{Text: strings.TrimSpace(in.Q)}
	var err error
	if q.Statuses, err = statuses(in.Status); err != nil {
		return CasePage{}, err
	}
	size, err := rooms.PageSize(in.Limit, 20, 100)
	if err != nil {
		return CasePage{}, err
	}
	if q.After, err = rooms.ParseCursor(in.Cursor); err != nil {
		return CasePage{}, err
	}
	q.Limit = size + 1
	list, err := s.store.Cases(ctx, q)
	if err != nil {
		return CasePage{}, err
	}
	items, next := rooms.CutPage(list, size, func(c Case) rooms.Cursor {
		return rooms.Cursor{Num: c.CreatedAt.UnixMicro(), ID: string(c.ID)}
	})
	return CasePage{Items: items, NextCursor: next}, nil
}
