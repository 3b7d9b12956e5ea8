package account

import (
	"time"

	"wenzhen.example/rooms"
)

// The commands of accounts. All are REST; Socket.IO has its own handshake.
var (
	Register = rooms.Command[RegisterInput, Registration]{Name: "account:register", For: rooms.Anyone, Access: rooms.Own,
		Doc: "Register as a patient or a doctor. A doctor is listed after an admin has verified the licence. Where mail " +
			"is sent, the answer is the same whether or not the address has an account (confirm: true, and nothing " +
			"else); the link in the mail creates the account."}
	LogIn = rooms.Command[LoginInput, Login]{Name: "account:login", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Start a session. For an account with a second factor, a request without a code is refused with field otp."}
	Refresh = rooms.Command[RefreshInput, Tokens]{Name: "account:refresh", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Exchange a refresh token for a new pair. A token that is used twice ends its session, except within a " +
			"minute while the new pair is unused: then the answer is the same."}
	LogOut = rooms.Command[RefreshInput, rooms.Nothing]{Name: "account:logout", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "End the session of a refresh token."}

	Sessions = rooms.Command[rooms.Nothing, SessionList]{Name: "session:list", For: rooms.Users, Access: rooms.Own,
		Doc: "List the caller's live sessions."}
	RevokeSession = rooms.Command[SessionInput, rooms.Nothing]{Name: "session:revoke", For: rooms.Users, Access: rooms.OwnerOnly,
		Doc: "End one of the caller's sessions and close its sockets."}

	Me = rooms.Command[rooms.Nothing, Self]{Name: "me:read", For: rooms.Users, Access: rooms.Own,
		Doc: "Read the caller's own user and profiles."}
	UpdateMe = rooms.Command[MeInput, Self]{Name: "me:update", For: rooms.Users, Access: rooms.Own,
		Doc: "Change the caller's name, locale or time zone."}

	RotateCalendar = rooms.Command[rooms.Nothing, Self]{Name: "me:rotate-calendar", For: rooms.Users, Access: rooms.Own,
		Doc: "Give the caller's calendar feed a new address; the old one stops working."}

	Patients = rooms.Command[rooms.Nothing, PatientList]{Name: "patient:list", For: rooms.Patients, Access: rooms.Own,
		Doc: "List the patient profiles in the caller's care."}
	AddPatient = rooms.Command[PatientInput, Patient]{Name: "patient:add", For: rooms.Patients, Access: rooms.Own,
		Doc: "Add a dependent."}
	UpdatePatient = rooms.Command[PatientChange, Patient]{Name: "patient:update", For: rooms.Patients, Access: rooms.OwnerOnly,
		Doc: "Change a patient profile in the caller's care."}

	Doctors = rooms.Command[DoctorFilter, DoctorList]{Name: "doctor:list", For: rooms.Anyone, Access: rooms.Own,
		Rate: rooms.Rate{PerSecond: 20, Burst: 100},
		Doc:  "List verified doctors."}
	ReadDoctor = rooms.Command[DoctorInput, Doctor]{Name: "doctor:read", For: rooms.Anyone, Access: rooms.Own,
		Doc: "Read a verified doctor's profile."}
	UpdateDoctor = rooms.Command[DoctorChange, Doctor]{Name: "doctor:update", For: rooms.Doctors, Access: rooms.Own,
		Doc: "Change the caller's doctor profile. A change of title, department or licence removes the badge until an " +
			"admin has reviewed it, as a change of the name does."}

	Users = rooms.Command[UserFilter, UserList]{Name: "user:list", For: rooms.Admins, Access: rooms.All,
		Doc: "List accounts."}
)

// SessionRevoked tells the sockets of a session that they are about to be cut.
var SessionRevoked = rooms.SignalType[SessionInput]{Name: "session:revoked", Doc: "This session has ended."}

// RegisterInput opens an account.
type RegisterInput struct {
	Role     rooms.Role `json:"role"` // patient or doctor
	Name     string     `json:"name" limit:"1..100"`
	Email    string     `json:"email"`
	Password string     `json:"password" limit:"8..128"`
	Locale   string     `json:"locale,omitempty"`
	TimeZone string     `json:"timeZone,omitempty"`
}

// LoginInput starts a session.
type LoginInput struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	OTP      string `json:"otp,omitempty"` // code of the second factor, or a recovery code
	// Device is the token that an earlier login gave this device.
	Device string `json:"device,omitempty"`
}

// RefreshInput carries a refresh token.
type RefreshInput struct {
	RefreshToken string `json:"refreshToken"`
}

// Tokens is a pair of tokens; ExpiresIn is the access token's life in seconds.
type Tokens struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	ExpiresIn    int    `json:"expiresIn"`
}

// Login is who one is now, with a pair of tokens.
type Login struct {
	User User `json:"user"`
	Tokens
	// Device is to be kept, and to come with the next login on this device:
	// those who guess at the account cannot lock it out then.
	Device string `json:"device"`
}

// Registration is the Login of a new account, or Confirm alone.
type Registration struct {
	User         User   `json:"user,omitzero"`
	AccessToken  string `json:"accessToken,omitempty"`
	RefreshToken string `json:"refreshToken,omitempty"`
	ExpiresIn    int    `json:"expiresIn,omitempty"`
	Device       string `json:"device,omitempty"`
	// Confirm reports that there is neither account nor session yet: the link of
	// a mail makes the account, which can then be logged in to.
	Confirm bool `json:"confirm,omitempty"`
}

// Login is the session of a new account; empty if it has to be confirmed.
func (r Registration) Login() Login {
	return Login{User: r.User, Tokens: Tokens{AccessToken: r.AccessToken, RefreshToken: r.RefreshToken, ExpiresIn: r.ExpiresIn}, Device: r.Device}
}

// SessionInput names a session.
type SessionInput struct {
	SessionID rooms.SessionID `json:"sessionId"`
}

// SessionList is the caller's live sessions, latest use first.
type SessionList struct {
	Items      []Session `json:"items"`
	NextCursor string    `json:"nextCursor"`
}

// Self is the logged-in user, with the doctor profile of a doctor.
type Self struct {
	User   User    `json:"user"`
	Doctor *Doctor `json:"doctor,omitempty"`
	// CalendarURL is the path of the user's private iCalendar feed: who knows it can
	// read it.
	CalendarURL string `json:"calendarUrl"`
}

// MeInput changes what is given.
type MeInput struct {
	Name     *string `json:"name,omitempty" limit:"1..100"`
	Locale   *string `json:"locale,omitempty"`
	TimeZone *string `json:"timeZone,omitempty"`
}

// PatientInput describes a dependent.
type PatientInput struct {
	Name      string `json:"name" limit:"1..100"`
	BirthDate string `json:"birthDate,omitempty"`
	Sex       string `json:"sex,omitempty"`
	Relation  string `json:"relation"`
}

// PatientChange changes what is given.
type PatientChange struct {
	PatientID PatientID `json:"patientId"`
	Name      *string   `json:"name,omitempty" limit:"1..100"`
	BirthDate *string   `json:"birthDate,omitempty"`
	Sex       *string   `json:"sex,omitempty"`
	Relation  *string   `json:"relation,omitempty"`
}

// PatientList is the profiles in the caller's care, the caller's own first.
type PatientList struct {
	Items      []Patient `json:"items"`
	NextCursor string    `json:"nextCursor"`
}

// DoctorFilter narrows the list of doctors. Limit is 1 to 100, 20 by default.
type DoctorFilter struct {
	Q          string `json:"q,omitempty"` // part of name, title, department or bio
	Department string `json:"department,omitempty"`
	Medium     Medium `json:"medium,omitempty"`
	Limit      int    `json:"limit,omitempty" limit:"1..100"`
	Cursor     string `json:"cursor,omitempty"`
}

// ApplicantFilter pages through all doctors.
type ApplicantFilter struct {
	Limit  int    `json:"limit,omitempty" limit:"1..100"`
	Cursor string `json:"cursor,omitempty"`
}

// DoctorList is a page of doctors; NextCursor is empty on the last.
type DoctorList struct {
	Items      []Doctor `json:"items"`
	NextCursor string   `json:"nextCursor"`
}

// DoctorInput names a doctor.
type DoctorInput struct {
	DoctorID rooms.UserID `json:"doctorId"`
}

// DoctorChange changes what is given.
type DoctorChange struct {
	Title      *string          `json:"title,omitempty" limit:"..100"`
	Department *string          `json:"department,omitempty" limit:"..100"`
	Licence    *string          `json:"licence,omitempty" limit:"..100"`
	Bio        *string          `json:"bio,omitempty" limit:"..4000"`
	Languages  *[]string        `json:"languages,omitempty" limit:"..20"`
	Services   *[]DoctorService `json:"services,omitempty"`
	OnDuty     *bool            `json:"onDuty,omitempty"`
}

// UserFilter narrows the list of accounts.
type UserFilter struct {
	Q      string     `json:"q,omitempty"` // part of name or e-mail
	Role   rooms.Role `json:"role,omitempty"`
	Limit  int        `json:"limit,omitempty" limit:"1..100"`
	Cursor string     `json:"cursor,omitempty"`
}

// UserList is a page of accounts.
type UserList struct {
	Items      []User `json:"items"`
	NextCursor string `json:"nextCursor"`
}

// UserInput names an account.
type UserInput struct {
	UserID rooms.UserID `json:"userId"`
}

// Expiry is when an access token ends.
type Expiry struct {
	ExpiresAt time.Time `json:"expiresAt"`
}
