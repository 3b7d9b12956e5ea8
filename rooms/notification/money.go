package notification

import (
	"strconv"

	"golang.org/x/text/currency"

	"wenzhen.example/rooms/consultation"
)

// orderUpdated notifies the patient of payments and refunds, and the doctor of
// refunds by an admin, which reduce their income. Every change of an order
// contains its whole history; each payment or refund is notified once.
func orderUpdated(_ *telling, o consultation.Order) (list []inboxEntry, err error) {
	paid := Facts{Name: o.DoctorName, Order: o.ID, Amount: o.Paid, Currency: o.Currency}
	if o.Status == consultation.OrderPaid && len(o.Refunds) == 0 {
		return []inboxEntry{{to: o.UserID, topic: PaymentReceived, facts: paid, subject: "order:" + string(o.ID)}}, nil
	}
	for _, r := range o.Refunds {
		facts, subject := paid, "refund:"+string(r.ID)
		facts.Amount = r.Amount
		for _, topic := range refundTopics(r) {
			list = append(list, inboxEntry{to: o.UserID, topic: topic, facts: facts, subject: subject})
		}
		if r.Reason == consultation.ForGoodwill && r.Status == consultation.RefundSucceeded {
			facts.Name = o.PatientName
			list = append(list, inboxEntry{to: o.DoctorID, topic: PatientRefunded, facts: facts, subject: subject})
		}
	}
	return list, nil
}

// refundTopics returns the topics that a patient must be notified of for a
// refund in its current state. A refund whose cause has a notification of its
// own is notified only when it has succeeded.
func refundTopics(r consultation.OrderRefund) []Topic {
	var list []Topic
	switch r.Reason {
	case consultation.ForLate:
		list = append(list, PaymentLate)
	case consultation.ForTwice:
		list = append(list, PaymentTwice)
	}
	switch r.Status {
	case consultation.RefundSucceeded:
		list = append(list, PaymentRefunded)
	case consultation.RefundFailed:
		list = append(list, PaymentRefundFailed)
	}
	return list
}

// sum writes an amount of minor units: "¥50.00", "USD 50.00", "JPY 5000".
func sum(amount int64, code string) string {
	digits := 2
	if unit, err := currency.ParseISO(code); err == nil {
		digits, _ = currency.Standard.Rounding(unit)
	}
	whole, power := amount, int64(1)
	for range digits {
		whole /= 10
		power *= 10
	}
	text := strconv.FormatInt(whole, 10)
	if digits > 0 {
		text += "." + strconv.FormatInt(power+amount%power, 10)[1:]
	}
	if code == "CNY" {
		return "¥" + text
	}
	return code + " " + text
}
