package billing

import (
	"time"

	"wenzhen.example/rooms"
)

// The commands of the sandbox's own checkout page. As with any gateway, the
// reference of a payment is enough to pay it. Where the sandbox is not one of
// the gateways, the commands find no payment.
var (
	SandboxRead = rooms.Command[SandboxRef, SandboxPayment]{Name: "sandbox:read", For: rooms.Anyone, Access: rooms.Bearer,
		Doc: "Read the data of the sandbox's checkout page."}
	SandboxPlay = rooms.Command[SandboxPlayInput, SandboxPayment]{Name: "sandbox:play", For: rooms.Anyone, Access: rooms.Bearer,
		Rate: rooms.Rate{PerSecond: 1, Burst: 30},
		Doc:  "Pay with play money, or simulate a failure."}
)

// SandboxRef names a payment at the sandbox.
type SandboxRef struct {
	Reference string `json:"reference"`
}

// SandboxPlayInput is what to do with a payment.
type SandboxPlayInput struct {
	Reference string `json:"reference"`
	Play      Play   `json:"play"`
}

// Play is what someone does at the sandbox's checkout, and how the sandbox
// tells of it.
type Play string

// The plays.
const (
	PlayPay     Play = "pay"     // told at once
	PlayFail    Play = "fail"    // refused; another try may follow
	PlayDelay   Play = "delay"   // paid, and told after a while
	PlayTwice   Play = "twice"   // paid two times; told of both
	PlayRepeat  Play = "repeat"  // told three times
	PlayReorder Play = "reorder" // fails, then succeeds; told the other way round
	PlayLate    Play = "late"    // the money comes after the order has been closed
)

// SandboxPayment is a payment as the sandbox knows it.
type SandboxPayment struct {
	Reference string       `json:"reference"`
	Title     string       `json:"title"`
	Amount    int64        `json:"amount"`
	Currency  string       `json:"currency"`
	State     PaymentState `json:"state"`
	ExpiresAt time.Time    `json:"expiresAt"`
	ReturnURL string       `json:"returnUrl"`
}
