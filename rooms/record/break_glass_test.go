package record_test

import (
	"strings"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/notification"
	"wenzhen.example/rooms/record"
	"wenzhen.example/rooms/roomstest"
)

// A patient without a consultation is notified of a look at the record, too, and
// reads the reason (SEC-27).
func TestBreakGlassAccessToARecordWithoutConsultations(t *testing.T) {
	t.Parallel()
	c := open(t)
	mei := c.Patient("mei")
	admin := &roomstest.Person{W: c.World, As: c.admin}
	profile := roomstest.Must(mei, account.Patients, rooms.Nothing{}).Items[0]
	roomstest.Must(admin, record.EnterRecord, record.EnterRecordInput{PatientID: profile.ID, Reason: "a court order"})
	var texts []string
	for _, n := range mei.Inbox() {
		if n.Topic == notification.RecordEntered {
			texts = append(texts, n.Text)
		}
	}
	if len(texts) != 1 || !strings.Contains(texts[0], "a court order") {
		t.Errorf("mei was notified by %q", texts)
	}
}
