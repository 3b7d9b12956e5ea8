package schedule_test

import (
	"fmt"
	"testing"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/roomstest"
	. "wenzhen.example/rooms/schedule"
)

// busy is a doctor with 20 rules and 500 bookings within the month, through
// the front door.
func busy(b *testing.B) (w *roomstest.World, doctor, patient *roomstest.Person) {
	w = roomstest.New(b)
	doctor, patient = w.Doctor("wang"), w.Patient("bo")
	var rules []Rule
	for i := range 20 {
		start := 6 + i/7*5
		rules = append(rules, Rule{Weekday: 1 + i%7, Start: fmt.Sprintf("%02d:00", start), End: fmt.Sprintf("%02d:00", start+5), SlotMinutes: 15, Capacity: 1, Media: []account.Medium{account.Text}})
	}
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "Europe/Berlin", Rules: rules})
	to := w.Now().AddDate(0, 1, 0)
	free := roomstest.Must(patient, Slots, SlotsInput{DoctorID: doctor.User.ID, To: &to}).Items
	for i := range 500 {
		roomstest.Must(patient, Book, BookInput{DoctorID: doctor.User.ID, Start: free[2*i].Start, Medium: account.Text, Service: account.Advice, Complaint: "x"})
	}
	return w, doctor, patient
}

// The slots of a month, as the booking page asks for them.
func BenchmarkSlotsOfABusyMonth(b *testing.B) {
	w, doctor, _ := busy(b)
	to := w.Now().AddDate(0, 1, 0)
	for b.Loop() {
		if _, err := roomstest.Ask(w, rooms.Actor{}, Slots, SlotsInput{DoctorID: doctor.User.ID, To: &to}); err != nil {
			b.Fatal(err)
		}
	}
}

// Bookings of a busy doctor: seat, consultation, appointment, events and
// signals, one transaction each.
func BenchmarkBooking(b *testing.B) {
	w, doctor, _ := busy(b)
	patient := w.Patient("jing")
	roomstest.Must(doctor, SaveSchedule, ScheduleInput{TimeZone: "UTC", Rules: []Rule{{Weekday: 1, Start: "00:00", End: "24:00", SlotMinutes: 5, Capacity: 100, Media: []account.Medium{account.Text}},
		{Weekday: 2, Start: "00:00", End: "24:00", SlotMinutes: 5, Capacity: 100, Media: []account.Medium{account.Text}}}})
	free := roomstest.Must(patient, Slots, SlotsInput{DoctorID: doctor.User.ID}).Items
	i := 0
	for b.Loop() {
		id := roomstest.Must(patient, Book, BookInput{DoctorID: doctor.User.ID, Start: free[i%len(free)].Start, Medium: account.Text, Service: account.Advice, Complaint: "x"}).Appointment.ID
		b.StopTimer()
		roomstest.Must(patient, Cancel, CancelInput{AppointmentID: id})
		b.StartTimer()
		i++
	}
}
