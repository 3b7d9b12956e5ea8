package access_test

import (
	"net/http"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/record"
	"wenzhen.example/server/e2e"
)

// pharmacistsEnd are the ways in which a doctor is a pharmacist no longer.
var pharmacistsEnd = map[string]func(w *e2e.World, p *e2e.Person){
	"pharmacist role withdrawn": func(w *e2e.World, p *e2e.Person) {
		e2e.Do(w.Admin, record.DismissPharmacist, account.UserInput{UserID: p.User.ID})
	},
	"badge withdrawn": func(w *e2e.World, p *e2e.Person) {
		e2e.Do(w.Admin, account.UnverifyDoctor, account.UnverifyDoctorInput{UserID: p.User.ID, Reason: "the licence has expired"})
	},
	"badge fell by change of data": func(_ *e2e.World, p *e2e.Person) {
		e2e.Do(p, account.UpdateDoctor, account.DoctorChange{Licence: new("another")})
	},
}

// What a pharmacist has by that role alone ends with it, whatever was open: the
// queue partly read, a prescription read, printed, or about to be decided.
func noLongerAPharmacist(t *testing.T, w, there *e2e.World) {
	bo, wang := w.Patient("bo"), w.Doctor("wang")
	id := bo.Followup(wang).ID
	var recipes []record.Prescription
	for range 3 {
		recipes = append(recipes, wang.Prescribes(id, e2e.Remedy()))
	}
	for name, ends := range pharmacistsEnd {
		t.Run(name, func(t *testing.T) {
			li := w.Doctor("li")
			e2e.Do(w.Admin, record.AppointPharmacist, account.UserInput{UserID: li.User.ID})
			page := e2e.Do(li, record.PrescriptionQueue, record.QueueFilter{Limit: 1})
			if page.NextCursor == "" {
				t.Fatal("there is no second page of the queue")
			}
			ref := record.PrescriptionRef{PrescriptionID: recipes[0].ID}
			e2e.Do(li, record.ReadPrescription, ref)
			ends(w, li)
			for node, on := range map[string]*e2e.World{"here": w, "elsewhere": there} {
				for what, path := range map[string]string{
					"the next page": "/api/v1/prescriptions/queue?limit=1&cursor=" + page.NextCursor,
					"the document":  "/api/v1/prescriptions/" + string(recipes[0].ID),
					"the printout":  "/api/v1/prescriptions/" + string(recipes[0].ID) + "/pdf",
				} {
					if a := on.Ask(t, http.MethodGet, path, li.Tokens().AccessToken, ""); a.Status != http.StatusNotFound && a.Status != http.StatusForbidden {
						t.Errorf("%s, %s: %d", node, what, a.Status)
					}
				}
			}
			if err := e2e.Failing(li, record.ApprovePrescription, ref); rooms.CodeOf(err) != rooms.CodeForbidden && rooms.CodeOf(err) != rooms.CodeNotFound {
				t.Errorf("approves: %v", err)
			}
		})
	}
}

func TestWhoIsNoLongerAPharmacistReadsNothing(t *testing.T) {
	t.Parallel()
	w := e2e.Start(t)
	noLongerAPharmacist(t, w, w)
}

// So it is on another node.
func TestWhoIsNoLongerAPharmacistReadsNothingElsewhere(t *testing.T) {
	t.Parallel()
	list, wires := e2e.Nodes(t, 2)
	for _, wire := range wires {
		wire.Cut()
	}
	noLongerAPharmacist(t, list[0], list[1])
}
