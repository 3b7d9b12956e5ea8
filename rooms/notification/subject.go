package notification

import "strings"

// nameMost is how much of a name a title shows.
const nameMost = 40

// reasonMost is how much of a reason a text shows.
const reasonMost = 200

// subjects are the subjects of mails of the topics whose title names someone.
// A name may say anything ("Your account is locked, log in at …"), and a
// subject from the clinic's address is believed: it names nobody.
var subjects = map[string]map[Topic]string{
	"zh": {
		CallMissed:            "您有一个未接来电",
		DiagnosisSigned:       "医生出具了诊断",
		DiagnosisAmended:      "医生修订了诊断",
		PrescriptionSigned:    "医生开具了处方",
		PrescriptionRejected:  "处方未通过审核",
		MessageCame:           "您有新消息",
		VoiceCame:             "您有新的语音消息",
		ConsultationRequested: "新的问诊",
		ConsultationAccepted:  "医生已接诊",
		ConsultationDeclined:  "医生未能接诊",
		ConsultationCancelled: "患者取消了问诊",
		ConsultationReopened:  "患者有追问",
		ConsultationFinished:  "患者结束了问诊",
		ConsultationReview:    "医生的资料正在重新核验",
		ConsultationLeft:      "一位会诊医生已退出问诊",
		ConsultationInvited:   "邀请您加入问诊",
		AppointmentBooked:     "预约成功",
		AppointmentMoved:      "预约已改期",
		AppointmentCancelled:  "预约已取消",
		AppointmentMissed:     "预约爽约",
		AppointmentUnpaid:     "预约因未支付已取消",
		AppointmentCheckedIn:  "患者已签到",
		PatientRefunded:       "已向患者退款：{{.Amount}}",
		WaitlistOffered:       "您候补的号源有空位",
	},
	"en": {
		CallMissed:            "You missed a call",
		DiagnosisSigned:       "A diagnosis from your doctor",
		DiagnosisAmended:      "Your doctor amended a diagnosis",
		PrescriptionSigned:    "A prescription from your doctor",
		PrescriptionRejected:  "Prescription rejected",
		MessageCame:           "You have a new message",
		VoiceCame:             "You have a voice message",
		ConsultationRequested: "New consultation",
		ConsultationAccepted:  "Your doctor accepted your consultation",
		ConsultationDeclined:  "Your doctor couldn’t accept your consultation",
		ConsultationCancelled: "A patient cancelled the consultation",
		ConsultationReopened:  "A patient has an extra question",
		ConsultationFinished:  "A patient ended the consultation",
		ConsultationReview:    "Your doctor’s details are under review",
		ConsultationLeft:      "A second doctor left the consultation",
		ConsultationInvited:   "You are invited to a consultation",
		AppointmentBooked:     "Appointment booked",
		AppointmentMoved:      "Appointment rescheduled",
		AppointmentCancelled:  "Appointment cancelled",
		AppointmentMissed:     "Appointment missed",
		AppointmentUnpaid:     "Appointment cancelled (not paid)",
		AppointmentCheckedIn:  "A patient has checked in",
		PatientRefunded:       "Refunded to a patient: {{.Amount}}",
		WaitlistOffered:       "A time on your waitlist is available",
	},
}

// news is the subject of a topic that has none of its own.
var news = map[string]string{"zh": "您有新的通知", "en": "You have a new notification"}

// subject is the template of a topic's subject: its title where that names nobody.
func subject(language string, topic Topic, w words) string {
	switch s, ok := subjects[language][topic]; {
	case ok:
		return s
	case strings.Contains(w.Title, ".Name"):
		return news[language]
	}
	return w.Title
}
