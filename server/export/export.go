package export

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
)

// Files opens attachments for participants.
type Files interface {
	Open(ctx context.Context, actor rooms.Actor, id chat.AttachmentID, thumbnail bool) (chat.Attachment, io.ReadSeekCloser, error)
}

// FHIR answers the read API of FHIR R4.
type FHIR interface {
	Answer(ctx context.Context, actor rooms.Actor, path string, query url.Values) ([]byte, error)
}

// Printer makes PDF of signed documents.
type Printer interface {
	Print(ctx context.Context, v record.Printout) ([]byte, error)
}

// Exporter writes archives.
type Exporter struct {
	catalogue *rooms.Catalogue
	files     Files
	fhir      FHIR
	printer   Printer
	now       func() time.Time

	mu      sync.Mutex
	running map[rooms.UserID]bool
}

// atOnce bounds the archives that are made at the same time.
const atOnce = 4

// New makes an exporter.
func New(catalogue *rooms.Catalogue, files Files, fhir FHIR, printer Printer, now func() time.Time) *Exporter {
	return &Exporter{catalogue: catalogue, files: files, fhir: fhir, printer: printer, now: now, running: map[rooms.UserID]bool{}}
}

// Begin takes the right to make an archive for a user; end gives it back.
// Errors: rate_limited while one is being made for them; unavailable while too
// many are.
func (x *Exporter) Begin(user rooms.UserID) (end func(), err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.running[user]:
		return nil, rooms.RateLimited(10*time.Second, "your data is being exported already")
	case len(x.running) >= atOnce:
		return nil, rooms.Unavailable(nil, "too many exports are under way; try again in a minute")
	}
	x.running[user] = true
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.running, user)
	}, nil
}

// Write writes the archive of actor's data to w. An error means that what was
// written is no archive.
func (x *Exporter) Write(ctx context.Context, actor rooms.Actor, w io.Writer) error {
	j := &job{Exporter: x, ctx: ctx, actor: actor, out: &archive{zip: zip.NewWriter(w), at: x.now()}}
	return j.run()
}

// job is one archive in the making.
type job struct {
	*Exporter
	ctx   context.Context
	actor rooms.Actor
	out   *archive
	me    account.User
	words wording
}

func (j *job) run() error {
	self, err := ask(j, account.Me, rooms.Nothing{})
	if err != nil {
		return err
	}
	self.CalendarURL = "" // anyone who knows it can read the feed
	j.me, j.words = self.User, wordingFor(self.User.Locale)
	overview := overview{Words: j.words, User: self.User, At: j.out.at.Format(time.RFC3339)}
	if err := j.out.json("account.json", self); err != nil {
		return err
	}
	if err := errors.Join(keep(j, "sessions.json", account.Sessions), keep(j, "security.json", account.ReadSecurity), keep(j, "preferences.json", notification.ReadPreferences),
		pages(j, "notifications.json", notification.List, func(cursor string) notification.InboxInput {
			return notification.InboxInput{Cursor: cursor, Limit: 100}
		}, func(p notification.Inbox) ([]notification.Notification, string) { return p.Items, p.NextCursor })); err != nil {
		return err
	}
	switch j.actor.Role {
	case rooms.RolePatient:
		err = j.patient(&overview)
	case rooms.RoleDoctor:
		err = errors.Join(keep(j, "schedule.json", schedule.ReadSchedule), keep(j, "quick-replies.json", chat.QuickReplies), keep(j, "templates.json", record.Templates))
	}
	if err != nil {
		return err
	}
	if err := j.page("index.html", "overview", overview); err != nil {
		return err
	}
	return j.out.close(struct {
		UserID rooms.UserID `json:"userId"`
		Email  string       `json:"email"`
	}{j.me.ID, j.me.Email})
}

// patient is what only patients have.
func (j *job) patient(to *overview) error {
	mine, err := ask(j, account.Patients, rooms.Nothing{})
	if err != nil {
		return err
	}
	to.Patients = mine.Items
	if err := errors.Join(j.out.json("patients.json", mine.Items), keep(j, "waitlist.json", schedule.Waitlist),
		pages(j, "appointments.json", schedule.Appointments, func(cursor string) schedule.AppointmentFilter {
			return schedule.AppointmentFilter{Cursor: cursor, Limit: 100}
		}, func(p schedule.AppointmentPage) ([]schedule.Appointment, string) { return p.Items, p.NextCursor }),
		pages(j, "orders.json", billing.Orders, func(cursor string) billing.OrderFilter {
			return billing.OrderFilter{Cursor: cursor, Limit: 100}
		}, func(p billing.OrderPage) ([]billing.Order, string) { return p.Items, p.NextCursor })); err != nil {
		return err
	}
	for _, p := range mine.Items {
		known, err := ask(j, record.ReadRecord, record.PatientRef{PatientID: p.ID})
		if err != nil {
			return err
		}
		if err := j.out.json("records/"+string(p.ID)+".json", known); err != nil {
			return err
		}
	}
	for cursor := ""; ; {
		page, err := ask(j, consultation.List, consultation.Filter{Cursor: cursor, Limit: 50})
		if err != nil {
			return err
		}
		for _, c := range page.Items {
			if c.UserID != j.actor.UserID { // invited: it is another's
				continue
			}
			if err := j.consultation(c); err != nil {
				return err
			}
			to.Consultations = append(to.Consultations, c)
		}
		if cursor = page.NextCursor; cursor == "" {
			return j.bundle(mine.Items)
		}
	}
}

// resources are the kinds of FHIR resources that are about a patient.
var resources = []string{"Patient", "Appointment", "Encounter", "Communication", "Condition", "MedicationRequest", "DocumentReference"}

// aboutPatient finds whom a resource is about.
var aboutPatient = regexp.MustCompile(`"reference":"Patient/([^"]+)"`)

// isAbout reports whether a resource is one of these patients, or refers to
// them only. The API also returns what a user may see of others, as an invited
// relative.
func isAbout(patients map[string]bool, kind string, resource []byte) bool {
	if kind == "Patient" {
		var patient struct{ ID string }
		return json.Unmarshal(resource, &patient) == nil && patients[patient.ID]
	}
	found := aboutPatient.FindAllSubmatch(resource, -1)
	for _, match := range found {
		if !patients[string(match[1])] {
			return false
		}
	}
	return len(found) > 0
}

// bundle writes all FHIR resources about these patients as one Bundle of type
// collection.
func (j *job) bundle(patients []account.Patient) error {
	own := map[string]bool{}
	for _, p := range patients {
		own[string(p.ID)] = true
	}
	const count = 200
	kinds, offset := resources, 0
	return j.out.add("fhir.json", zip.Deflate, func(w io.Writer) error {
		if _, err := io.WriteString(w, `{"resourceType":"Bundle","type":"collection","timestamp":"`+j.out.at.Format(time.RFC3339)+`","entry":`); err != nil {
			return err
		}
		err := array(w, func() ([]json.RawMessage, error) {
			for len(kinds) > 0 {
				raw, err := paced(j.ctx, func() ([]byte, error) {
					return j.fhir.Answer(j.ctx, j.actor, kinds[0], url.Values{"_count": {strconv.Itoa(count)}, "_offset": {strconv.Itoa(offset)}})
				})
				if err != nil {
					return nil, err
				}
				var page struct {
					Total int `json:"total"`
					Entry []struct {
						FullURL  string          `json:"fullUrl"`
						Resource json.RawMessage `json:"resource"`
					} `json:"entry"`
				}
				if err := json.Unmarshal(raw, &page); err != nil {
					return nil, err
				}
				var items []json.RawMessage
				for _, e := range page.Entry {
					if !isAbout(own, kinds[0], e.Resource) {
						continue
					}
					item, err := json.Marshal(map[string]any{"fullUrl": e.FullURL, "resource": e.Resource})
					if err != nil {
						return nil, err
					}
					items = append(items, item)
				}
				if offset += count; offset >= page.Total {
					kinds, offset = kinds[1:], 0
				}
				if len(items) > 0 {
					return items, nil
				}
			}
			return nil, nil
		})
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, "}\n")
		return err
	})
}

// ask sends a command in the name of whose data it is.
func ask[In, Out any](j *job, command rooms.Command[In, Out], in In) (out Out, err error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, err := paced(j.ctx, func() ([]byte, error) { return j.catalogue.Answer(j.ctx, j.actor, command.Name, raw) })
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}

// paced calls do again for as long as it is refused with rate_limited: an export
// keeps to the limits of the user it is made for, and can wait.
func paced(ctx context.Context, do func() ([]byte, error)) ([]byte, error) {
	for {
		v, err := do()
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeRateLimited {
			return v, err
		}
		wait := time.NewTimer(max(time.Duration(e.RetryAfterMs)*time.Millisecond, 100*time.Millisecond))
		select {
		case <-ctx.Done():
			wait.Stop()
			return v, ctx.Err()
		case <-wait.C:
		}
	}
}

// keep writes the whole answer of a command.
func keep[Out any](j *job, name string, command rooms.Command[rooms.Nothing, Out]) error {
	v, err := ask(j, command, rooms.Nothing{})
	if err != nil {
		return err
	}
	return j.out.json(name, v)
}

// pages writes all that a command lists.
func pages[In, Out, T any](j *job, name string, command rooms.Command[In, Out], from func(cursor string) In, items func(Out) ([]T, string)) error {
	cursor, over := "", false
	return j.out.add(name, zip.Deflate, func(w io.Writer) error {
		return array(w, func() ([]T, error) {
			for !over {
				page, err := ask(j, command, from(cursor))
				if err != nil {
					return nil, err
				}
				var list []T
				list, cursor = items(page)
				over = cursor == ""
				if len(list) > 0 {
					return list, nil
				}
			}
			return nil, nil
		})
	})
}
