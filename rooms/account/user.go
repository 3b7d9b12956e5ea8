package account

import (
	"time"

	"wenzhen.example/rooms"
)

// User is an account as its owner sees it.
type User struct {
	ID    rooms.UserID `json:"id"`
	Role  rooms.Role   `json:"role"`
	Name  string       `json:"name"`
	Email string       `json:"email"`
	// EmailVerified tells that the user has shown to have the address.
	EmailVerified bool      `json:"emailVerified"`
	Locale        string    `json:"locale"`   // BCP 47: "zh-CN", "en"
	TimeZone      string    `json:"timeZone"` // IANA name
	CreatedAt     time.Time `json:"createdAt"`
	// Suspended users cannot log in or do anything.
	Suspended bool `json:"suspended"`
	// Erased accounts are suspended too, and stay so.
	Erased bool `json:"erased,omitempty"`
}

// Credentials is what a login proves itself against. It never leaves the server.
type Credentials struct {
	User         User
	PasswordHash string // "" for an account without a password
}

// Session is one login, as its owner sees it in the list of devices.
type Session struct {
	ID         rooms.SessionID `json:"id"`
	UserID     rooms.UserID    `json:"-"`
	CreatedAt  time.Time       `json:"createdAt"`
	LastUsedAt time.Time       `json:"lastUsedAt"`
	ExpiresAt  time.Time       `json:"expiresAt"`
	UserAgent  string          `json:"userAgent"`
	Address    string          `json:"address"`
	Method     Method          `json:"method"`
	// ProvedAt is when its owner last proved who they are.
	ProvedAt time.Time `json:"-"`
	// Current marks the session that asked for the list.
	Current bool `json:"current"`
}

// RefreshToken is the stored half of a refresh token: its SHA-256.
type RefreshToken struct {
	Hash      [32]byte
	SessionID rooms.SessionID
	ExpiresAt time.Time
	UsedAt    time.Time // zero while it is good
}

// Method is how a session began.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByPasskey  Method = "passkey"
	ByProvider Method = "provider"
)

// Medium is how a consultation is held.
type Medium string

// The media.
const (
	Text  Medium = "text"
	Voice Medium = "voice"
	Video Medium = "video"
)

// ServiceKind is what a doctor offers: advice (健康咨询) allows a first visit,
// followup (复诊) needs an earlier diagnosis.
type ServiceKind string

// The services.
const (
	Advice   ServiceKind = "advice"
	Followup ServiceKind = "followup"
)

// DoctorService is one line of a doctor's price list.
type DoctorService struct {
	Service  ServiceKind `json:"service"`
	Medium   Medium      `json:"medium"`
	Price    int64       `json:"price" limit:"0..1000000000"`   // minor units of Currency
	Currency string      `json:"currency" pattern:"^[A-Z]{3}$"` // ISO 4217
	Minutes  int         `json:"minutes" limit:"1..1440"`
}

// Doctor is a doctor's public profile. ID is the doctor's user id.
type Doctor struct {
	ID         rooms.UserID    `json:"id"`
	Name       string          `json:"name"`
	Title      string          `json:"title"`
	Department string          `json:"department"`
	Bio        string          `json:"bio"`
	Languages  []string        `json:"languages"`
	Services   []DoctorService `json:"services"`
	OnDuty     bool            `json:"onDuty"`
	// Licence is the number under which the doctor is registered.
	Licence string `json:"licence"`
	// Verified reports whether an admin has reviewed name, title, department and
	// licence as they are.
	Verified bool `json:"verified"`
	// Rejection is why an admin has rejected them, until one of them changes.
	Rejection string `json:"rejection,omitempty"`
	// Withdrawn reports whether an admin has rejected them and has verified none
	// since: a change has it reviewed, and does not undo it.
	Withdrawn bool `json:"-"`
	// Revision counts the changes of what is reviewed.
	Revision int64 `json:"revision"`
}

// Offers finds the price of a service in a medium; false if it is not offered.
func (d Doctor) Offers(service ServiceKind, medium Medium) (DoctorService, bool) {
	for _, s := range d.Services {
		if s.Service == service && s.Medium == medium {
			return s, true
		}
	}
	return DoctorService{}, false
}

// PatientID names a patient profile.
type PatientID string

// Patient is the person being treated (就诊人): the user or a dependent.
type Patient struct {
	ID        PatientID    `json:"id"`
	UserID    rooms.UserID `json:"-"`
	Name      string       `json:"name"`
	BirthDate string       `json:"birthDate,omitempty"` // YYYY-MM-DD
	Sex       string       `json:"sex,omitempty"`       // male, female, other, unknown (FHIR administrative-gender)
	Relation  string       `json:"relation"`            // self, child, parent, spouse, other
}
