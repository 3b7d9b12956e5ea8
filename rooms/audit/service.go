package audit

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"wenzhen.example/rooms"
)

// The commands of the audit log.
var (
	List = rooms.Command[LogFilter, LogPage]{Name: "audit:list", For: rooms.Admins, Access: rooms.All,
		Doc: "List the entries of the audit log, latest first. Entries by patients and doctors show only the kind of their subject."}
	Enter = rooms.Command[EnterLogInput, LogPage]{Name: "audit:break-glass", For: rooms.Admins, Access: rooms.All,
		Doc: "List the entries of the audit log with their subjects, which show who consults whom. The reason is entered in the log first."}
	Verify = rooms.Command[rooms.Nothing, Verdict]{Name: "audit:verify", For: rooms.Admins, Access: rooms.All,
		Doc: "Verify the hash chain of the audit log from its first entry to its last."}
)

// LogFilter narrows the log. Limit is 1 to 200, 50 by default.
type LogFilter struct {
	ActorID rooms.UserID `json:"actorId,omitempty"`
	Action  string       `json:"action,omitempty"`
	Subject string       `json:"subject,omitempty"`
	// PatientID finds what is about a patient, whatever its subject is.
	PatientID string `json:"patientId,omitempty"`
	// Q is part of the name or e-mail of who acted, of the subject or the reason.
	Q string `json:"q,omitempty" limit:"..100"`
	// From and To bound the time: From is in, To is not.
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Cursor string     `json:"cursor,omitempty"`
	Limit  int        `json:"limit,omitempty" limit:"1..200"`
}

// Validate implements rooms.Validator.
func (f LogFilter) Validate() error {
	if f.From != nil && f.To != nil && !f.From.Before(*f.To) {
		return rooms.Invalid("to", "to must be after from")
	}
	return nil
}

// EnterLogInput says why an admin has to see what entries are about.
type EnterLogInput struct {
	LogFilter
	Reason string `json:"reason"` // 1 to 2,000 characters
}

// Validate implements rooms.Validator.
func (in EnterLogInput) Validate() error {
	switch n := utf8.RuneCountInString(in.Reason); {
	case strings.TrimSpace(in.Reason) == "":
		return rooms.Invalid("reason", "say why")
	case n > 2000:
		return rooms.TooLarge("reason", "a reason may have at most 2,000 characters")
	}
	return in.LogFilter.Validate()
}

// LogLine is an entry with the name of who acted, as it is now; "" if nobody
// has it any more. The name is not part of what is hashed.
type LogLine struct {
	LogEntry
	ActorName string `json:"actorName,omitempty"`
}

// LogPage is a page of entries; NextCursor is empty on the last.
type LogPage struct {
	Items      []LogLine `json:"items"`
	NextCursor string    `json:"nextCursor"`
}

// Verdict is what following the chain has found.
type Verdict struct {
	OK      bool  `json:"ok"`
	Entries int64 `json:"entries"`
	// BrokenAt is the number of the first entry that does not follow, and Why.
	BrokenAt int64  `json:"brokenAt,omitempty"`
	Why      string `json:"why,omitempty"`
	// SignedFrom is the first entry that was written with this server's key, if
	// there are some before it: those follow from each other, which is all that
	// is known about them.
	SignedFrom int64 `json:"signedFrom,omitempty"`
}

// Query is a page of the log, the latest first; the zero Query is all of it.
type Query struct {
	Filter LogFilter
	Before int64 // Num, 0 for the end
	// Whole finds entries by everything that they have; otherwise those of which
	// only the kind of subject is shown are found by who did what and when.
	Whole bool
	Limit int
}

// Store is what the log is read from.
type Store interface {
	Audit(ctx context.Context, q Query) ([]LogLine, error)
	// AuditAfter are the entries after a number, in order.
	AuditAfter(ctx context.Context, num int64, limit int) ([]LogEntry, error)
	// AuditHead returns the end of the log as the writer keeps it.
	AuditHead(ctx context.Context) (Head, error)
	// AuditSeen is the last entry that this process has signed or seen; 0 for none.
	AuditSeen() (num int64, sha256 string)
	// InTx runs a function in a transaction.
	InTx(ctx context.Context, f func(Tx) error) error
}

// Service implements the commands of the log.
type Service struct {
	store Store
	key   []byte
	now   func() time.Time
}

// Options are what the service needs.
type Options struct {
	Store Store
	// Key signs the end of the log; nil where it is not signed.
	Key []byte
	Now func() time.Time
}

// New makes the service.
func New(o Options) *Service {
	return &Service{store: o.Store, key: o.Key, now: o.Now}
}

// Commands returns the commands that the service executes.
func (s *Service) Commands() []rooms.Handler {
	return []rooms.Handler{List.Bind(s.list), Enter.Bind(s.enter), Verify.Bind(s.verify)}
}

func (s *Service) list(ctx context.Context, _ rooms.Actor, in LogFilter) (LogPage, error) {
	page, err := s.page(ctx, in, false)
	for i := range page.Items {
		page.Items[i].LogEntry = page.Items[i].shortened()
	}
	return page, err
}

// enter shows the log as it is, once it is entered why.
func (s *Service) enter(ctx context.Context, actor rooms.Actor, in EnterLogInput) (LogPage, error) {
	subject := "audit"
	if in.PatientID != "" {
		subject = "patient:" + in.PatientID
	}
	err := s.store.InTx(ctx, func(tx Tx) error {
		return Append(tx, actor, s.now(), Enter.Name, subject, func(e *LogEntry) { e.Reason, e.Detail = in.Reason, in.Subject })
	})
	if err != nil {
		return LogPage{}, err
	}
	return s.page(ctx, in.LogFilter, true)
}

func (s *Service) page(ctx context.Context, in LogFilter, whole bool) (LogPage, error) {
	limit, err := rooms.PageSize(in.Limit, 50, 200)
	if err != nil {
		return LogPage{}, err
	}
	after, err := rooms.ParseCursor(in.Cursor)
	if err != nil {
		return LogPage{}, err
	}
	in.Q = strings.TrimSpace(in.Q)
	q := Query{Filter: in, Limit: limit + 1, Whole: whole}
	if after != nil {
		q.Before = after.Num
	}
	list, err := s.store.Audit(ctx, q)
	if err != nil {
		return LogPage{}, err
	}
	items, next := rooms.CutPage(list, limit, func(e LogLine) rooms.Cursor { return rooms.Cursor{Num: e.Num} })
	return LogPage{Items: items, NextCursor: next}, nil
}

func (s *Service) verify(ctx context.Context, _ rooms.Actor, _ rooms.Nothing) (Verdict, error) {
	return s.Inspect(ctx)
}

// Inspect checks the whole log. A break that it finds after the latest mark is
// entered in the log, which is marked once more; what is before a mark proves
// nothing already. If that fails, as it does while the database takes no writes,
// the break is still there for the next call to find.
func (s *Service) Inspect(ctx context.Context) (Verdict, error) {
	v, err := VerifyLog(ctx, s.store, s.key)
	if err != nil || v.OK {
		return v, err
	}
	marked, why, err := s.sinceMark(ctx)
	if err == nil {
		_ = s.store.InTx(ctx, func(tx Tx) error { return MarkBroken(tx, s.now(), marked, why) })
	}
	return v, err
}

// sinceMark checks the log from its latest mark, or from its beginning if it has
// none, and returns the number of the mark, and what is wrong after it.
func (s *Service) sinceMark(ctx context.Context) (marked int64, why string, err error) {
	head, err := s.store.AuditHead(ctx)
	if err != nil {
		return 0, "", err
	}
	before := LogEntry{}
	if marked = head.BrokenLast; marked > 0 {
		// What the mark follows may be gone; the mark itself must be whole.
		list, err := s.store.AuditAfter(ctx, marked-1, 1)
		if err != nil {
			return marked, "", err
		}
		before.Num = marked - 1
		if len(list) > 0 {
			before.SHA256 = list[0].Previous
		}
	}
	_, broken, err := along(ctx, s.store, before, head)
	return marked, broken.Why, err
}

// stretch is how many entries are checked at a time.
const stretch = 1000

// VerifyLog checks the whole log, up to what the writer says is its end, so that
// entries cut off there are noticed, and the signature of the end if there is a
// key. Somebody who has the database but not the key cannot make another chain.
//
// A log that ends before an entry that this process has signed or seen, or has
// another in its place, is broken too, whatever its signature.
func VerifyLog(ctx context.Context, store Store, key []byte) (Verdict, error) {
	num, sum := store.AuditSeen() // before the end, which others move on
	head, err := store.AuditHead(ctx)
	if err != nil {
		return Verdict{}, err
	}
	last, v, err := along(ctx, store, LogEntry{}, head)
	if err != nil || v.BrokenAt > 0 {
		return v, err
	}
	older, err := Behind(ctx, store, head, num, sum)
	if err != nil {
		return v, err
	}
	v.SignedFrom = head.Since
	switch {
	case !head.Signed(key):
		v.BrokenAt, v.Why = head.Num, "the end of the log is not signed by this server's key: it was written by something else"
	case older != "":
		v.BrokenAt, v.Why = min(num, head.Num+1), older
	case head.BrokenAt > 0:
		v.BrokenAt, v.Why = head.BrokenAt, "what is before this entry has been rewritten or cut: it was not what this server had signed"
	default:
		v.OK, v.Entries = true, last.Num
	}
	return v, nil
}

// Behind says what is wrong with a log that ends with head, if entry num had a
// hash; empty if that entry is still there.
func Behind(ctx context.Context, store Store, head Head, num int64, sum string) (string, error) {
	if num == 0 {
		return "", nil
	}
	list, err := store.AuditAfter(ctx, num-1, 1)
	if err != nil {
		return "", err
	}
	is := ""
	if len(list) > 0 && list[0].Num == num {
		is = list[0].SHA256
	}
	return behind(head.Num, num, sum, is), nil
}

// along checks the entries after last, up to the end. It returns the last of
// them, and a verdict that says where they are broken, if they are.
func along(ctx context.Context, store Store, last LogEntry, head Head) (LogEntry, Verdict, error) {
	v := Verdict{Entries: head.Num}
	for {
		list, err := store.AuditAfter(ctx, last.Num, stretch)
		if err != nil {
			return last, Verdict{}, err
		}
		if at, why := Check(last, list); why != nil {
			v.BrokenAt, v.Why = at, why.Error()
			return last, v, nil
		}
		if len(list) == 0 {
			break
		}
		last = list[len(list)-1]
	}
	// Others may have appended meanwhile; what was there before must be.
	if last.Num < head.Num || (last.Num == head.Num && last.SHA256 != head.SHA256) {
		v.BrokenAt, v.Why = last.Num+1, "the end of the log is gone"
		v.SignedFrom = head.Since
	}
	return last, v, nil
}
