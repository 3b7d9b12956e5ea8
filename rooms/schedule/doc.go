// Package schedule is when doctors can be met: their weekly rules and
// exceptions, the slots that follow from them, and the appointments that take
// slots.
//
// Slots are computed, never stored. A rule covers all real time whose clock, in
// the schedule's zone, stands between the rule's start and end on a day of its
// weekday: where clocks change, a day has more slots or fewer, and a half hour
// that comes twice is offered twice. Appointments are stored with their
// instant and keep it whatever happens to the rules; a slot that overlaps one
// is not offered again.
//
// One slot is never sold twice: an appointment takes a numbered seat of it, and
// a unique index over doctor, start and seat decides.
package schedule
