package notification

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// words are the title and the text of a topic.
type words struct{ Title, Text string }

// wording is how each topic is put. {{.Name}} is the other person, {{.Start}}
// a time on the recipient's clock, {{.Amount}} a sum with its currency.
var wording = map[string]map[Topic]words{
	"zh": {
		CallMissed:             {"{{.Name}}的来电未接", "点击回拨。"},
		DiagnosisSigned:        {"{{.Name}}医生出具了诊断", "点击查看诊断结果。"},
		DiagnosisAmended:       {"{{.Name}}医生修订了诊断", "点击查看新的版本。"},
		PrescriptionSigned:     {"{{.Name}}医生开具了处方", "药师审核通过后即可使用。"},
		PrescriptionApproved:   {"处方已通过审核", "{{.Name}}医生开具的处方现在可以使用了。"},
		PrescriptionRejected:   {"处方未通过审核：{{.Name}}", "药师已说明原因，点击查看。"},
		PrescriptionVoid:       {"处方已作废", "{{.Name}}医生开具的处方请勿再使用。"},
		MessageCame:            {"{{.Name}}发来新消息", "点击查看并回复。"},
		VoiceCame:              {"{{.Name}}发来语音消息", "点击收听并回复。"},
		ConsultationRequested:  {"新的问诊：{{.Name}}", "患者正在候诊，等待您接诊。"},
		ConsultationAccepted:   {"{{.Name}}医生已接诊", "问诊已开始，您可以与医生交流了。"},
		ConsultationDeclined:   {"{{.Name}}医生未能接诊", "费用将全额退回。您可以选择其他医生。"},
		ConsultationCancelled:  {"{{.Name}}取消了问诊", "该患者已离开候诊队列。"},
		ConsultationOnHold:     {"问诊已暂停", "{{.Name}}医生正在等待检查结果，期间暂停计时。"},
		ConsultationResumed:    {"问诊已继续", "{{.Name}}医生继续了您的问诊。"},
		ConsultationEnded:      {"问诊已结束", "您与{{.Name}}医生的问诊已结束，72 小时内可免费追问一次。"},
		ConsultationTerminated: {"建议线下就诊", "{{.Name}}医生建议您到医院就诊，费用将全额退回。"},
		ConsultationExpired:    {"问诊已过期", "{{.Name}}医生未能及时接诊，费用将全额退回。"},
		ConsultationReopened:   {"{{.Name}}有追问", "患者发起了追问，等待您的回复。"},
		ConsultationInvited:    {"{{.Name}}邀请您加入问诊", "您现在可以加入本次问诊。"},
		ConsultationProposed:   {"{{.Name}}医生希望邀请他人加入问诊", "您同意后，对方才能加入。点击查看。"},
		RecordChanged:          {"{{.Name}}修改了您的健康档案", "点击查看修改后的过敏史、病史和用药。"},
		RecordEntered:          {"管理员应急查看了{{.Name}}的健康档案", "理由：{{.Reason}}"},
		ConsultationEntered:    {"管理员应急查看了您的问诊", "理由已记入问诊。"},
		ConsultationFinished:   {"{{.Name}}结束了问诊", "患者在 72 小时内可免费追问一次。"},
		ConsultationReview:     {"{{.Name}}医生的资料正在重新核验", "核验通过前，医生不能出具诊断和处方。点击查看您的选择。"},
		ConsultationLeft:       {"{{.Name}}医生已退出问诊", "该医生目前未通过核验，不能再查看本次问诊。"},
		ConsultationClosed:     {"机构结束了问诊：{{.Name}}", "未提供的服务将全额退款。点击查看。"},
		AppointmentBooked:      {"预约成功：{{.Name}}", "时间：{{.Start}}"},
		AppointmentMoved:       {"预约已改期：{{.Name}}", "新的时间：{{.Start}}"},
		AppointmentCancelled:   {"预约已取消：{{.Name}}", "原定时间：{{.Start}}"},
		AppointmentMissed:      {"预约爽约：{{.Name}}", "预约时间：{{.Start}}"},
		AppointmentUnpaid:      {"预约因未支付已取消：{{.Name}}", "原定时间：{{.Start}}"},
		AppointmentCheckedIn:   {"{{.Name}}已签到", "预约时间：{{.Start}}"},
		AppointmentOffered:     {"医生停诊，请确认新的时间", "{{.Name}}，{{.Start}}。请在 24 小时内确认。"},
		PaymentReceived:        {"支付成功：{{.Amount}}", "{{.Name}}医生的问诊费用已收到。"},
		PaymentExpired:         {"订单未支付，已关闭", "{{.Name}}医生的问诊未在时限内支付，您可以重新发起问诊。"},
		PaymentLate:            {"支付超时：{{.Amount}}", "款项到账时{{.Name}}医生的订单已关闭，费用将全额原路退回。"},
		PaymentTwice:           {"重复支付：{{.Amount}}", "{{.Name}}医生的订单被支付了两次，多付的费用将原路退回。"},
		PaymentRefunded:        {"退款成功：{{.Amount}}", "{{.Name}}医生的订单已退款，费用已原路退回。"},
		PaymentRefundFailed:    {"退款未成功：{{.Amount}}", "{{.Name}}医生的订单退款被支付渠道拒绝，我们正在处理。"},
		PatientRefunded:        {"已向{{.Name}}退款：{{.Amount}}", "管理员为这次问诊办理了退款，您的收入已相应调整。"},
		WaitlistOffered:        {"您候补的号源有空位：{{.Name}}", "{{.Start}}，为您保留 30 分钟。"},
		WaitlistClosed:         {"候补已关闭", "您候补的医生不再接受预约，您可以选择其他医生。"},
		DoctorReviewDue:        {"待核验的医生：{{.Name}}", "请核验姓名、职称、科室和执业证书编号。"},
		DoctorVerified:         {"您已通过核验", "患者现在可以找到您。"},
		DoctorUnverified:       {"您未通过核验", "原因见您的执业资料，修改后将重新核验。"},
	},
	"en": {
		CallMissed:             {"Missed call from {{.Name}}", "Open the site to call back."},
		DiagnosisSigned:        {"Diagnosis from Dr {{.Name}}", "Open the site to read it."},
		DiagnosisAmended:       {"Dr {{.Name}} amended a diagnosis", "Open the site to read the new version."},
		PrescriptionSigned:     {"Prescription from Dr {{.Name}}", "A pharmacist will check it before it can be used."},
		PrescriptionApproved:   {"Prescription approved", "The prescription by Dr {{.Name}} can be used now."},
		PrescriptionRejected:   {"Prescription rejected: {{.Name}}", "The pharmacist gave a reason. Open the site to read it."},
		PrescriptionVoid:       {"Prescription voided", "Do not use the prescription by Dr {{.Name}} any longer."},
		MessageCame:            {"New message from {{.Name}}", "Open the site to read and answer it."},
		VoiceCame:              {"Voice message from {{.Name}}", "Open the site to listen and answer."},
		ConsultationRequested:  {"New consultation: {{.Name}}", "The patient is waiting for you."},
		ConsultationAccepted:   {"Dr {{.Name}} accepted your consultation", "Your consultation has started."},
		ConsultationDeclined:   {"Dr {{.Name}} couldn’t accept your consultation", "You get a full refund. You can choose another doctor."},
		ConsultationCancelled:  {"{{.Name}} cancelled the consultation", "The patient has left your queue."},
		ConsultationOnHold:     {"Your consultation is on hold", "Dr {{.Name}} is waiting for test results. Your time is paused."},
		ConsultationResumed:    {"Your consultation was resumed", "Dr {{.Name}} has resumed it."},
		ConsultationEnded:      {"Your consultation has ended", "You can ask Dr {{.Name}} one free extra question within 72 hours."},
		ConsultationTerminated: {"Please see a doctor in person", "Dr {{.Name}} advises a visit to a hospital. You get a full refund."},
		ConsultationExpired:    {"Your consultation has expired", "Dr {{.Name}} didn’t accept it in time. You get a full refund."},
		ConsultationReopened:   {"{{.Name}} has an extra question", "The patient is waiting for your answer."},
		ConsultationInvited:    {"{{.Name}} invites you to a consultation", "You can join now."},
		ConsultationProposed:   {"Dr {{.Name}} would like to invite someone", "They can only join if you agree. Open the site to answer."},
		RecordChanged:          {"{{.Name}} changed your health record", "Open the site to see the current allergies, conditions and medication."},
		RecordEntered:          {"An administrator viewed the health record of {{.Name}}", "Reason: {{.Reason}}"},
		ConsultationEntered:    {"An administrator viewed your consultation", "The reason is shown in the consultation."},
		ConsultationFinished:   {"{{.Name}} ended the consultation", "The patient can ask one free extra question within 72 hours."},
		ConsultationReview:     {"The details of Dr {{.Name}} are under review", "Until they’re approved, the doctor can’t sign diagnoses or prescriptions. Open the site to see what you can do."},
		ConsultationLeft:       {"Dr {{.Name}} left the consultation", "This doctor is no longer verified, and can’t see the consultation any more."},
		ConsultationClosed:     {"The clinic ended the consultation: {{.Name}}", "Services not provided are refunded in full. Open the site to see it."},
		AppointmentBooked:      {"Appointment booked: {{.Name}}", "When: {{.Start}}"},
		AppointmentMoved:       {"Appointment rescheduled: {{.Name}}", "New time: {{.Start}}"},
		AppointmentCancelled:   {"Appointment cancelled: {{.Name}}", "It was on {{.Start}}"},
		AppointmentMissed:      {"Appointment missed: {{.Name}}", "It was on {{.Start}}"},
		AppointmentUnpaid:      {"Appointment cancelled (not paid): {{.Name}}", "It was on {{.Start}}"},
		AppointmentCheckedIn:   {"{{.Name}} has checked in", "Appointment: {{.Start}}"},
		AppointmentOffered:     {"Your doctor isn’t available: please confirm a new time", "{{.Name}}, {{.Start}}. Please answer within 24 hours."},
		PaymentReceived:        {"Payment received: {{.Amount}}", "Your consultation with Dr {{.Name}} is paid."},
		PaymentExpired:         {"Your order was not paid in time", "The consultation with Dr {{.Name}} was closed. You can start a new one."},
		PaymentLate:            {"Your payment arrived too late: {{.Amount}}", "The order for Dr {{.Name}} was already closed. You get a full refund."},
		PaymentTwice:           {"You paid twice: {{.Amount}}", "The second payment for Dr {{.Name}} will be refunded."},
		PaymentRefunded:        {"Refunded: {{.Amount}}", "Your payment for Dr {{.Name}} was refunded to your original payment method."},
		PaymentRefundFailed:    {"Refund failed: {{.Amount}}", "The payment service refused the refund of your order for Dr {{.Name}}. We are looking into it."},
		PatientRefunded:        {"Refunded to {{.Name}}: {{.Amount}}", "An administrator refunded this consultation. Your income has been adjusted."},
		WaitlistOffered:        {"A time on your waitlist is available: {{.Name}}", "{{.Start}}, kept for you for 30 minutes."},
		WaitlistClosed:         {"Waitlist closed", "The doctor you were waiting for no longer takes appointments. You can choose another doctor."},
		DoctorReviewDue:        {"Doctor to verify: {{.Name}}", "Please review name, title, department and licence."},
		DoctorVerified:         {"You are verified", "Patients can find you now."},
		DoctorUnverified:       {"You are not verified", "The reason is in your practice profile. Once you’ve corrected it, it will be reviewed again."},
	},
}

// kinds are the kinds of the topics that do not begin with theirs.
func (t Topic) kind() Kind {
	switch t {
	case WaitlistOffered, WaitlistClosed:
		return Appointments
	case DoctorReviewDue, DoctorVerified, DoctorUnverified:
		return Accounts
	case RecordChanged, RecordEntered:
		return Diagnoses
	}
	kind, _, _ := strings.Cut(string(t), "_")
	return Kind(kind)
}

// languageOf is the one of our languages that a locale (BCP 47) asks for.
func languageOf(locale string) string {
	if language, _, _ := strings.Cut(locale, "-"); wording[language] != nil {
		return language
	}
	return "en"
}

var weekdays = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

// worded puts the notification into words for its recipient, and says where
// it leads.
func (n Notification) worded(u account.User) Notification {
	language := languageOf(u.Locale)
	w := templates[language][n.Topic]
	fields := struct{ Name, Start, Amount, Reason string }{Name: rooms.WithoutLinks(n.Facts.Name, nameMost), Reason: rooms.WithoutLinks(n.Facts.Reason, reasonMost), Amount: sum(n.Facts.Amount, n.Facts.Currency)}
	if n.Facts.Start != nil {
		zone, err := time.LoadLocation(u.TimeZone)
		if err != nil {
			zone = time.UTC
		}
		local := n.Facts.Start.In(zone)
		fields.Start = local.Format("Mon 2 Jan 2006, 15:04")
		if language == "zh" {
			fields.Start = fmt.Sprintf("%d年%d月%d日 %s %s", local.Year(), local.Month(), local.Day(), weekdays[local.Weekday()], local.Format("15:04"))
		}
	}
	n.Title, n.Text, n.Subject = w.title.fill(fields), w.text.fill(fields), w.subject.fill(fields)
	if n.Cause.Room.Kind() == "consultation" {
		n.ConsultationID = consultation.ID(n.Cause.Room.Subject())
		n.Path = "/consultations/" + string(n.ConsultationID)
	}
	if n.Facts.Consultation != "" {
		n.ConsultationID = n.Facts.Consultation
		n.Path = "/consultations/" + string(n.ConsultationID)
	}
	switch {
	case n.Kind == Appointments:
		n.Path = "/appointments"
	case n.Topic == DoctorReviewDue:
		n.Path = "/admin/doctors"
	case n.Kind == Accounts:
		n.Path = "/desk/profile"
	case n.Facts.Patient != "":
		n.Path = "/patients/" + string(n.Facts.Patient)
	case n.Topic == PatientRefunded:
		n.Path = "/desk/income"
	case n.Facts.Order != "":
		n.Path = "/orders/" + string(n.Facts.Order)
	}
	return n
}

// filled is a topic's wording. No subject has a name in it.
type filled struct{ title, text, subject sentence }

// sentence is a template over strings, which cannot fail.
type sentence struct{ *template.Template }

func (s sentence) fill(fields any) string {
	if s.Template == nil {
		return "" // a topic that an older version of the server wrote
	}
	var b strings.Builder
	_ = s.Execute(&b, fields)
	return b.String()
}

var templates = parseWording()

func parseWording() map[string]map[Topic]filled {
	all := map[string]map[Topic]filled{}
	for language, topics := range wording {
		all[language] = map[Topic]filled{}
		for topic, w := range topics {
			parse := func(text string) sentence {
				return sentence{template.Must(template.New(string(topic)).Option("missingkey=error").Parse(text))}
			}
			all[language][topic] = filled{parse(w.Title), parse(w.Text), parse(subject(language, topic, w))}
		}
	}
	return all
}

// Invites reports whether calendars need the notification: its mail has an
// invitation, and is sent even if the notification was seen.
func (n Notification) Invites() bool {
	return n.Topic == AppointmentBooked || n.Topic == AppointmentMoved || n.Topic == AppointmentCancelled
}
