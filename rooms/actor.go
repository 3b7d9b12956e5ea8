package rooms

import (
	"os"
	"os/user"
	"strconv"
)

// UserID names an account. A doctor's id is the id of the doctor's user.
type UserID string

// SessionID names one login of a user: a device, a browser.
type SessionID string

// Role is what a user is.
type Role string

// The roles. RoleSystem is Wenzhen itself: timers and clocks. Clients see the
// three of users.
const (
	RoleGuest   Role = "" //spec:internal
	RolePatient Role = "patient"
	RoleDoctor  Role = "doctor"
	RoleAdmin   Role = "admin"
	RoleSystem  Role = "system" //spec:internal
)

// Actor is who asks. The zero Actor is a guest.
type Actor struct {
	UserID    UserID
	Role      Role
	SessionID SessionID
	// Address is where the request came from (an IP address), for throttling.
	Address string
	// Agent is the device's own description of itself (User-Agent).
	Agent string
}

// System is the actor of timers and clocks.
var System = Actor{Role: RoleSystem}

// AtConsole is somebody at the command line of the server's own machine, known
// by the name of their account there.
func AtConsole() Actor {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return Actor{Role: RoleAdmin, Address: "console:" + name}
}

// Guest reports whether nobody is logged in.
func (a Actor) Guest() bool { return a.Role == RoleGuest }

// Audience is who may try a command at all. Whether they may do it to this
// very thing is the feature's judgement.
type Audience uint8

// Audiences, as a set of roles.
const (
	Patients Audience = 1 << iota
	Doctors
	Admins
	guests

	// Users is everyone who is logged in.
	Users = Patients | Doctors | Admins
	// Anyone includes guests.
	Anyone = Users | guests
)

// Has reports whether role is in the audience.
func (a Audience) Has(role Role) bool {
	switch role {
	case RoleGuest:
		return a&guests != 0
	case RolePatient:
		return a&Patients != 0
	case RoleDoctor:
		return a&Doctors != 0
	case RoleAdmin:
		return a&Admins != 0
	}
	return false
}

// Access says whose things a command is about, and so who of its audience may
// run it. Others are answered as if the thing did not exist.
type Access string

// The kinds of access.
const (
	// Own commands concern the actor's own data, or data that every user in the
	// command's audience may see. They need no check of an id.
	Own Access = "own"
	// OwnerOnly commands name a thing of one user, or of one patient profile.
	OwnerOnly Access = "owner"
	// Participants commands name a consultation, or something of it or of its
	// patient's record: for those who take part.
	Participants Access = "participants"
	// All commands are about things of all users, for staff.
	All Access = "all"
	// Bearer commands are for those who have the secret in their input: a
	// password, a token, the link of a calendar.
	Bearer Access = "bearer"
)
