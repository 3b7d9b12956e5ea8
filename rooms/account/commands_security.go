package account

import (
	"encoding/json"

	"wenzhen.example/rooms"
)

// The commands of the account centre: how one gets in, and keeps others out.
// What changes how one logs in asks for a session that was proved lately:
// forbidden with field "confirm" until then.
var (
	ForgotPassword = rooms.Command[ForgotInput, rooms.Nothing]{Name: "password:forgot", For: rooms.Anyone, Access: rooms.Own,
		Doc: "Request a mail to set a new password. The answer is the same whether or not the account exists."}
	ResetPassword = rooms.Command[ResetInput, ResetAnswer]{Name: "password:reset", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Set a new password with the token of a mail; all sessions end."}
	VerifyEmail = rooms.Command[VerifyEmailInput, rooms.Nothing]{Name: "email:verify", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Confirm an e-mail address with the token of a mail. To confirm a registration, send the chosen password " +
			"as well: without it the answer is `invalid` in `password`."}

	StartProvider = rooms.Command[ProviderInput, ProviderRedirect]{Name: "oidc:start", For: rooms.Anyone, Access: rooms.Own,
		Doc: "Start a login at an OpenID provider."}
	ProviderCallback = rooms.Command[CallbackInput, ProviderRedirect]{Name: "oidc:callback", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Receive the answer of an OpenID provider; redirects to a page that completes the login or shows the error."}
	FinishProvider = rooms.Command[FinishInput, Login]{Name: "oidc:finish", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Complete a login at an OpenID provider with the ticket from the callback."}
	LogOutProvider = rooms.Command[RefreshInput, LogoutRedirect]{Name: "oidc:logout", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "End the session of a refresh token; returns the address that ends the provider's session."}
	BackChannelLogout = rooms.Command[LogoutTokenInput, rooms.Nothing]{Name: "oidc:logged-out", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "For OpenID providers: end the sessions of a subject that logged out there (OpenID Connect Back-Channel Logout)."}

	AskPasskey = rooms.Command[rooms.Nothing, PasskeyChallenge]{Name: "passkey:ask", For: rooms.Anyone, Access: rooms.Own,
		Doc: "Start a login with a passkey (WebAuthn)."}
	UsePasskey = rooms.Command[PasskeyLoginInput, Login]{Name: "passkey:use", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Complete a login with the passkey's answer."}

	ReadSecurity = rooms.Command[rooms.Nothing, Security]{Name: "security:read", For: rooms.Users, Access: rooms.Own,
		Doc: "List the ways to log in to the caller's account."}
	Confirm = rooms.Command[ConfirmInput, rooms.Nothing]{Name: "session:confirm", For: rooms.Users, Access: rooms.Own,
		Doc: "Confirm the caller's identity again; allows changes to the ways to log in for 15 minutes."}
	RevokeOthers = rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "session:revoke-others", For: rooms.Users, Access: rooms.Own,
		Doc: "End all sessions of the caller except this one."}
	KeepSession = rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "session:keep", For: rooms.Users, Access: rooms.Own,
		Doc: "Report that the user is active. A doctor's or an admin's session ends after a time without requests."}
	ChangePassword = rooms.Command[PasswordInput, rooms.Nothing]{Name: "password:change", For: rooms.Users, Access: rooms.Own,
		Doc: "Set the caller's password; other sessions end."}
	SendVerification = rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "email:send-verification", For: rooms.Users, Access: rooms.Own,
		Doc: "Send the mail that verifies the caller's e-mail address again."}

	BeginTOTP = rooms.Command[rooms.Nothing, TOTPSetup]{Name: "totp:begin", For: rooms.Users, Access: rooms.Own,
		Doc: "Start setting up a second factor (TOTP, RFC 6238)."}
	ConfirmTOTP = rooms.Command[TOTPInput, RecoveryCodes]{Name: "totp:confirm", For: rooms.Users, Access: rooms.Own,
		Doc: "Turn on the second factor with a first code."}
	RemoveTOTP = rooms.Command[rooms.Nothing, rooms.Nothing]{Name: "totp:remove", For: rooms.Users, Access: rooms.Own,
		Doc: "Turn off the second factor."}
	RenewRecoveryCodes = rooms.Command[rooms.Nothing, RecoveryCodes]{Name: "totp:recovery-codes", For: rooms.Users, Access: rooms.Own,
		Doc: "Replace the caller's recovery codes; each works once in place of a code."}

	ResetSecondFactor = rooms.Command[UserInput, rooms.Nothing]{Name: "user:reset-second-factor", For: rooms.Admins, Access: rooms.All,
		Doc: "Turn off the second factor of a user who has lost it and the recovery codes. All sessions of the user " +
			"end, and the user gets a mail. Requires a confirmation; entered in the audit log."}

	BeginPasskey = rooms.Command[rooms.Nothing, PasskeyChallenge]{Name: "passkey:begin", For: rooms.Users, Access: rooms.Own,
		Doc: "Start creating a passkey (WebAuthn)."}
	AddPasskey = rooms.Command[NewPasskeyInput, Passkey]{Name: "passkey:add", For: rooms.Users, Access: rooms.Own,
		Doc: "Store a passkey that was created."}
	RemovePasskey = rooms.Command[PasskeyInput, rooms.Nothing]{Name: "passkey:remove", For: rooms.Users, Access: rooms.OwnerOnly,
		Doc: "Delete a passkey."}

	LinkProvider = rooms.Command[ProviderInput, ProviderRedirect]{Name: "identity:link", For: rooms.Users, Access: rooms.Own,
		Doc: "Start at an OpenID provider to link an identity to the caller's account."}
	Unlink = rooms.Command[IdentityInput, rooms.Nothing]{Name: "identity:unlink", For: rooms.Users, Access: rooms.OwnerOnly,
		Doc: "Unlink an identity from the caller's account."}
)

// SessionOpened tells a user of a login on a device that was not seen before.
var SessionOpened = rooms.EventType[Session]{Name: "session:opened", Doc: "The account was logged in to on a new device."}

// ForgotInput names the account whose password was forgotten.
type ForgotInput struct {
	Email string `json:"email"`
}

// ResetInput sets a password with the token of a mail.
type ResetInput struct {
	Token    string `json:"token"`
	Password string `json:"password" limit:"8..128"`
}

// ResetAnswer is what to log in with next, beside the new password.
type ResetAnswer struct {
	Email  string `json:"email"`
	Device string `json:"device"`
}

// VerifyEmailInput carries the token of a mail. With the token of a registration
// it must carry the password that was chosen: the mail may have reached somebody
// whom a stranger registered.
type VerifyEmailInput struct {
	Token    string `json:"token"`
	Password string `json:"password,omitempty"`
}

// ProviderInput names a provider. Browser comes from the cookie that ties a
// browser to what it began; REST fills it in.
type ProviderInput struct {
	Provider string `json:"provider"`
	Next     string `json:"next,omitempty"` // the page to go on with: a path
	Browser  string `json:"browser,omitempty"`
}

// ProviderRedirect is where to send the browser.
type ProviderRedirect struct {
	RedirectURL string `json:"redirectUrl"`
	// Browser is what its cookie is to hold; REST takes it out.
	Browser string `json:"browser,omitempty"`
}

// CallbackInput is what a browser came back from a provider with (RFC 6749
// section 4.1.2, RFC 9207).
type CallbackInput struct {
	Provider string `json:"provider"`
	State    string `json:"state,omitempty"`
	Code     string `json:"code,omitempty"`
	Issuer   string `json:"iss,omitempty"`
	Error    string `json:"error,omitempty"`
	Browser  string `json:"browser,omitempty"`
}

// FinishInput finishes a login at a provider.
type FinishInput struct {
	Ticket  string `json:"ticket"`
	OTP     string `json:"otp,omitempty"`
	Device  string `json:"device,omitempty"`
	Browser string `json:"browser,omitempty"`
}

// LogoutRedirect is where to send the browser to log out at its provider as
// well; empty when there is nothing to do.
type LogoutRedirect struct {
	RedirectURL string `json:"redirectUrl"`
}

// LogoutTokenInput is a provider's word that someone logged out there.
type LogoutTokenInput struct {
	Provider    string `json:"provider"`
	LogoutToken string `json:"logout_token"` // as the specification names it
}

// PasskeyChallenge is what a browser needs for its part: Options is the
// argument of navigator.credentials.create or get (WebAuthn, as JSON).
type PasskeyChallenge struct {
	Ticket  string          `json:"ticket"`
	Options json.RawMessage `json:"options"`
}

// NewPasskeyInput is a passkey that a browser made: Credential is the
// PublicKeyCredential as JSON (toJSON).
type NewPasskeyInput struct {
	Ticket     string          `json:"ticket"`
	Name       string          `json:"name" limit:"1..100"`
	Credential json.RawMessage `json:"credential"`
}

// PasskeyLoginInput is the answer of a passkey, as JSON (toJSON).
type PasskeyLoginInput struct {
	Ticket     string          `json:"ticket"`
	Credential json.RawMessage `json:"credential"`
	Device     string          `json:"device,omitempty"`
}

// PasskeyInput names one of the caller's passkeys.
type PasskeyInput struct {
	PasskeyID string `json:"passkeyId"`
}

// IdentityInput names one of the caller's identities.
type IdentityInput struct {
	IdentityID string `json:"identityId"`
}

// Security lists the ways to log in to the caller's account.
type Security struct {
	Password      bool             `json:"password"` // whether there is one
	EmailVerified bool             `json:"emailVerified"`
	TOTP          bool             `json:"totp"`
	RecoveryCodes int              `json:"recoveryCodes"` // how many are left
	Passkeys      []Passkey        `json:"passkeys"`
	Identities    []LinkedIdentity `json:"identities"`
}

// ConfirmInput is the password, where there is one, and a code of the second
// factor, where that is on.
type ConfirmInput struct {
	Password string `json:"password,omitempty"`
	OTP      string `json:"otp,omitempty"`
}

// PasswordInput is the caller's new password.
type PasswordInput struct {
	Password string `json:"password" limit:"8..128"`
}

// TOTPSetup is a secret for an authenticator app, as text, as an otpauth: URI
// and as a picture of it (a data: URI of a PNG).
type TOTPSetup struct {
	Secret string `json:"secret"`
	URI    string `json:"uri"`
	QR     string `json:"qr"`
}

// TOTPInput is a code of the authenticator app.
type TOTPInput struct {
	OTP string `json:"otp"`
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"codes"`
}
