package access_test

import (
	"reflect"
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/billing"
	calls "wenzhen.example/rooms/call"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/schedule"
	"wenzhen.example/server/e2e"
	"wenzhen.example/server/rest"
)

// answers are what each stranger is answered.
type answers []rooms.Code

// rowOf is what the table expects of a command: its row where it has one, and
// for the rest what follows from its declaration.
func rowOf(c rooms.Handler) row {
	r := authorization[c.Name]
	if r.want == nil {
		r.want = policyOf(c)
	}
	if r.in == nil {
		r.in = func(b belongings) any { return b.inputOf(c.In) }
	}
	return r
}

// policyOf is what a command's declaration says that strangers are answered.
func policyOf(c rooms.Handler) answers {
	found := ok
	if c.Access == rooms.OwnerOnly || c.Access == rooms.Participants {
		found = absent
	}
	want := answers{login, role, role, login, login}
	if c.For.Has(rooms.RolePatient) {
		want[otherPatient] = found
	}
	if c.For.Has(rooms.RoleDoctor) {
		want[otherDoctor] = found
	}
	return want
}

// ids are bo's things, by the types of their ids.
func (b belongings) ids() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[consultation.ID]():        string(b.consultation),
		reflect.TypeFor[chat.MessageID]():         string(b.message),
		reflect.TypeFor[chat.AttachmentID]():      string(b.attachment),
		reflect.TypeFor[account.PatientID]():      string(b.profile),
		reflect.TypeFor[rooms.SessionID]():        string(b.session),
		reflect.TypeFor[rooms.UserID]():           string(b.user),
		reflect.TypeFor[schedule.AppointmentID](): string(b.appointment),
		reflect.TypeFor[schedule.ExceptionID]():   string(b.exception),
		reflect.TypeFor[schedule.WaitID]():        string(b.wait),
		reflect.TypeFor[calls.ID]():               string(b.call),
		reflect.TypeFor[billing.OrderID]():        string(b.order),
		reflect.TypeFor[record.DocumentID]():      string(b.diagnosis),
	}
}

// inputOf makes an input that is aimed at bo's things: ids by their types,
// texts and numbers as short and small as their limits allow.
func (b belongings) inputOf(t reflect.Type) any {
	in := reflect.New(t).Elem()
	ids := b.ids()
	for _, f := range reflect.VisibleFields(t) {
		limit := rooms.LimitOf(f)
		field := in.FieldByIndex(f.Index)
		id, known := ids[f.Type]
		switch {
		case known && f.Name == "PrescriptionID":
			field.SetString(string(b.prescription))
		case known && f.Name == "DoctorID":
			field.SetString(string(b.doctor))
		case known:
			field.SetString(id)
		case limit == nil || strings.Contains(f.Tag.Get("json"), ",omit"):
		case f.Type.Kind() == reflect.String && (limit.Min != nil || limit.Pattern != ""):
			field.SetString("x")
		case field.CanInt() && limit.Min != nil:
			field.SetInt(int64(*limit.Min))
		}
	}
	return in.Interface()
}

// A declaration that cannot be right is found without asking the server: it is
// not compared with itself.
func TestPoliciesAreConsistent(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	paths := map[string][]string{}
	for _, r := range rest.Routes() {
		paths[r.Command] = append(paths[r.Command], r.Path)
	}
	for c := range w.Server.Catalogue().All() {
		explicit := authorization[c.Name].want != nil
		if c.For == 0 || c.Access == "" {
			t.Errorf("%s does not declare who may run it: For and Access", c.Name)
		}
		if c.For.Has(rooms.RoleGuest) && !explicit {
			t.Errorf("%s is for guests: say in the table what strangers are answered", c.Name)
		}
		if c.Access == rooms.All && c.For != rooms.Admins && !explicit {
			t.Errorf("%s is about everyone's things, and not for admins alone", c.Name)
		}
		if thing := thingIn(c.In); c.Access == rooms.Own && thing != "" && !explicit {
			t.Errorf("%s takes %s, and declares that it is about nobody else's things", c.Name, thing)
		}
		for _, path := range paths[c.Name] {
			if strings.HasPrefix(path, "/admin/") != (c.For == rooms.Admins) {
				t.Errorf("%s is at %s, and for %v", c.Name, path, c.For)
			}
		}
		if c.Namespace == rooms.Admin && c.For != rooms.Admins {
			t.Errorf("%s is on %s, and not for admins alone", c.Name, c.Namespace)
		}
	}
}

// thingIn names a field of an input that is the id of something that belongs to
// someone. Users themselves are no such thing: doctors are public.
func thingIn(t reflect.Type) string {
	for _, f := range reflect.VisibleFields(t) {
		if _, known := (belongings{}).ids()[f.Type]; known && f.Type != reflect.TypeFor[rooms.UserID]() {
			return f.Name
		}
	}
	return ""
}
