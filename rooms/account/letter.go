package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wenzhen/rooms"
)

// Mail delivers letters. An error is tried again later, with the same letter.
type Mail interface {
	Send(ctx context.Context, l Letter) error
}

// Letter is a mail to one user, in that user's language.
type Letter struct {
	// ID identifies the letter; it is the same in every attempt.
	ID string
	To User
	// Chinese reports that it is in Chinese; otherwise it is in English.
	Chinese bool
	Subject string
	Lines   []string // paragraphs
	// Label and URL are the one thing to do; both are empty where there is none.
	Label, URL string
	// Reason says why one gets it.
	Reason string
}

// The kinds of letters. A letter waits as a timer, until it has been sent: its
// subject is the kind and what it is about. It is written when it is sent, and
// no secret waits with it.
const (
	timerLetter = "account:letter"

	letterVerify    = "verify"   // a ticket
	letterReset     = "reset"    // a ticket
	letterNewDevice = "device"   // a session
	letterPassword  = "password" // a user
	letterFactor    = "factor"   // a user
	letterRegister  = "register" // a ticket
	letterTaken     = "taken"    // a user

	letterSuspended   = "suspended" // these are about a user, too
	letterUnsuspended = "unsuspended"
	letterVerified    = "doctor-verified"
	letterUnverified  = "doctor-unverified"
)

// post sends a letter once tx has committed; nothing where no mail is sent.
func (s *Service) post(tx Tx, kind, about string) error {
	if s.cfg.Mail == nil {
		return nil
	}
	return tx.SetTimer(rooms.Timer{Kind: timerLetter, Subject: kind + ":" + about, Due: s.now()})
}

// SendLetters sends letters until ctx ends. One that could not be sent is tried
// again, unless the mail server has refused it permanently.
func (s *Service) SendLetters(ctx context.Context) { s.letters.Run(ctx) }

// DrainLetters sends the letters that are queued now. Tests that control the
// clock call it instead of SendLetters.
func (s *Service) DrainLetters(ctx context.Context) { s.letters.Drain(ctx) }

func (s *Service) workOnLetter(ctx context.Context, t rooms.Timer) {
	if err := s.sendLetter(ctx, t); err != nil && ctx.Err() == nil {
		s.cfg.Log.Error("letter", "subject", t.Subject, "error", err)
	}
}

// sendLetter writes and sends a letter. One whose cause is gone is not sent.
func (s *Service) sendLetter(ctx context.Context, t rooms.Timer) error {
	var refused error
	if s.cfg.Mail != nil {
		letter, err := s.write(ctx, t)
		if err != nil && rooms.CodeOf(err) != rooms.CodeNotFound {
			return err
		}
		if err == nil {
			if err = s.cfg.Mail.Send(ctx, letter); err != nil {
				err = fmt.Errorf("account: send a letter: %w", err)
			}
			if rooms.CodeOf(err) == rooms.CodeInvalid {
				refused = err
			} else if err != nil {
				return err
			}
		}
	}
	return errors.Join(refused, s.store.InTx(ctx, func(tx Tx) error { return tx.ClearTimer(t.Kind, t.Subject) }))
}

// write makes the letter that a timer stands for. Errors: not_found.
func (s *Service) write(ctx context.Context, t rooms.Timer) (Letter, error) {
	kind, about, _ := strings.Cut(t.Subject, ":")
	to, session, link, err := s.addressee(ctx, kind, about)
	if err != nil {
		return Letter{}, err
	}
	if !to.EmailVerified {
		if !slices.Contains([]string{letterVerify, letterReset, letterRegister, letterTaken}, kind) {
			return Letter{}, rooms.NotFound("verified address")
		}
		to.Name = "" // it may be a stranger's address, and the name says what somebody likes
	}
	words := lettersEn[kind]
	chinese := strings.HasPrefix(to.Locale, "zh")
	if chinese {
		words = lettersZh[kind]
	}
	zone, err := time.LoadLocation(or(to.TimeZone, "UTC"))
	if err != nil {
		zone = time.UTC
	}
	fill := strings.NewReplacer("{name}", rooms.Plain(to.Name, 60), "{device}", rooms.Plain(session.UserAgent, 120), "{address}", session.Address,
		"{at}", session.CreatedAt.In(zone).Format("2006-01-02 15:04 MST"))
	l := Letter{ID: fmt.Sprintf("%s-%s-%d", kind, about, t.Due.UnixMicro()), To: to, Chinese: chinese, Subject: words.subject,
		Label: words.label, URL: link, Reason: words.reason}
	for _, line := range words.lines {
		l.Lines = append(l.Lines, fill.Replace(line))
	}
	return l, nil
}

// addressee is whom a letter goes to, with the session that it is about and the
// link in it. What concerns the account goes to its owner, and to nobody whose
// address somebody else has given.
func (s *Service) addressee(ctx context.Context, kind, about string) (to User, session Session, link string, err error) {
	user := rooms.UserID(about)
	link = s.cfg.PublicURL
	switch kind {
	case letterVerify, letterReset, letterRegister:
		ticket, err := s.store.Ticket(ctx, about)
		if err == nil && !ticket.Expires.After(s.now()) {
			err = rooms.NotFound("ticket")
		}
		if err != nil {
			return User{}, session, "", err
		}
		page := "/email/verify#"
		if kind == letterReset {
			page = "/password/reset#"
		}
		// After the #, which browsers send to nobody.
		link += page + s.sealTicket(ticket.Kind, ticket.ID)
		if kind == letterRegister {
			to, err = s.newcomer(ticket)
			return to, session, link, err
		}
		user = ticket.UserID
	case letterNewDevice:
		if session, err = s.store.Session(ctx, rooms.SessionID(about)); err != nil {
			return User{}, session, "", err
		}
		user, link = session.UserID, link+"/account"
	case letterFactor:
		link += "/account"
	case letterPassword:
		link += "/password/forgot"
	case letterSuspended:
		link = ""
	case letterUnsuspended, letterTaken:
		link += "/login"
	case letterVerified, letterUnverified:
		link += "/desk/profile"
	}
	to, err = s.store.User(ctx, user)
	return to, session, link, err
}

// newcomer is whom a registration's mail goes to: there is no account yet.
func (s *Service) newcomer(t Ticket) (User, error) {
	var a applicant
	if err := json.Unmarshal(t.Data, &a); err != nil {
		return User{}, fmt.Errorf("account: registration: %w", err)
	}
	return s.newUser(a.Input, false), nil
}

// words are what a kind of letter says. Those to an address that may be a
// stranger's say nobody's name.
type words struct {
	subject string
	lines   []string
	label   string
	reason  string
}

var lettersEn = map[string]words{
	letterRegister: {"Confirm your registration", []string{"Hello,", "please confirm that you want an account with this e-mail address. It is made when you follow the link, which works once, for 48 hours. Then you can log in."},
		"Make my account", "You get this mail because somebody signed up with your address. If it was not you, ignore it: no account is made."},
	letterTaken: {"You have an account already", []string{"Hello,", "somebody, perhaps you, tried to sign up with this e-mail address. It has an account already: log in, or set a new password if you have forgotten yours."},
		"Log in", "You get this mail because somebody signed up with your address. If it was not you, there is nothing to do."},
	letterVerify: {"Confirm your e-mail address", []string{"Hello,", "please confirm that this is your e-mail address. The link works once, for 48 hours."},
		"Confirm", "You get this mail because somebody signed up with your address. If it was not you, ignore it."},
	letterReset: {"Set a new password", []string{"Hello,", "here you can set a new password. The link works once, for one hour."},
		"Set a new password", "You get this mail because somebody said that you forgot your password. If you did not, ignore it: your password stays as it is."},
	letterNewDevice: {"A new device logged in to your account", []string{"Hello {name},", "your account was logged in to from a device that we had not seen before:",
		"{device}\n{address}\n{at}", "If it was you, there is nothing to do. If not, log the device out and change your password."},
		"See your devices", "You get this mail because it is your account."},
	letterPassword: {"Your password was changed", []string{"Hello {name},", "the password of your account was changed, and other devices were logged out. If it was not you, set a new one at once."},
		"It was not me", "You get this mail because it is your account."},
	letterSuspended: {"Your account was suspended", []string{"Hello {name},", "the clinic has suspended your account. What you had open was ended or cancelled, and what was paid for and not delivered is refunded.",
		"If you think that this is a mistake, contact the clinic."}, "", "You get this mail because it is your account."},
	letterUnsuspended: {"You can use your account again", []string{"Hello {name},", "the clinic has lifted the suspension of your account. You can log in again."},
		"Log in", "You get this mail because it is your account."},
	letterVerified: {"You are verified", []string{"Hello {name},", "the clinic has reviewed your name, title, department and licence. Patients can find you now."},
		"See your profile", "You get this mail because it is your account."},
	letterUnverified: {"You are not verified", []string{"Hello {name},", "the clinic has reviewed your name, title, department and licence, and has not verified them. The reason is in your profile.",
		"Once you have changed what is wrong there, it is reviewed again."}, "See your profile", "You get this mail because it is your account."},
	letterFactor: {"Two-step verification was switched off", []string{"Hello {name},", "an administrator switched off the two-step verification of your account, and all devices were logged out. Please set it up again after your next login. If you did not ask for this, tell the clinic."},
		"Open your account", "You get this mail because it is your account."},
}

var lettersZh = map[string]words{
	letterRegister: {"请确认注册", []string{"您好：", "请点击下面的按钮，确认用这个邮箱注册账户。链接 48 小时内有效，只能使用一次；确认后账户即建立，您可以登录。"},
		"建立账户", "有人用您的邮箱注册。如果不是您本人，请忽略这封邮件，账户不会建立。"},
	letterTaken: {"您已经有账户", []string{"您好：", "有人（可能是您）想用这个邮箱注册，但它已有账户。请直接登录；如果忘记了密码，可以重设。"},
		"登录", "有人用您的邮箱注册。如果不是您本人，无需处理。"},
	letterVerify: {"请确认您的邮箱", []string{"您好：", "请点击下面的按钮，确认这是您的邮箱。链接 48 小时内有效，只能使用一次。"},
		"确认邮箱", "有人用您的邮箱注册了账户。如果不是您本人，请忽略这封邮件。"},
	letterReset: {"重设密码", []string{"您好：", "请点击下面的按钮设置新密码。链接一小时内有效，只能使用一次。"},
		"设置新密码", "有人申请为您的账户重设密码。如果不是您本人，请忽略这封邮件，密码不会改变。"},
	letterNewDevice: {"您的账户在新设备上登录", []string{"{name}，您好：", "您的账户刚刚在一台新设备上登录：", "{device}\n{address}\n{at}", "如果是您本人，无需处理。如果不是，请立即退出该设备并修改密码。"},
		"查看登录设备", "这封邮件关系到您的账户安全。"},
	letterPassword: {"您的密码已修改", []string{"{name}，您好：", "您的账户密码刚刚被修改，其他设备已退出登录。如果不是您本人操作，请立即重设密码。"},
		"不是我本人", "这封邮件关系到您的账户安全。"},
	letterSuspended: {"您的账户已停用", []string{"{name}，您好：", "机构已停用您的账户。您未结束的问诊和预约已结束或取消，已付款而未提供的服务将退款。", "如有疑问，请联系机构。"},
		"", "这封邮件关系到您的账户。"},
	letterUnsuspended: {"您的账户已恢复", []string{"{name}，您好：", "机构已恢复您的账户，您可以重新登录。"},
		"登录", "这封邮件关系到您的账户。"},
	letterVerified: {"您已通过认证", []string{"{name}，您好：", "机构已审核您的姓名、职称、科室和执业证书编号，患者现在可以找到您。"},
		"查看我的资料", "这封邮件关系到您的账户。"},
	letterUnverified: {"您未通过认证", []string{"{name}，您好：", "机构审核了您的姓名、职称、科室和执业证书编号，未予通过。原因见您的个人资料。", "修改后将重新审核。"},
		"查看我的资料", "这封邮件关系到您的账户。"},
	letterFactor: {"您的两步验证已关闭", []string{"{name}，您好：", "管理员关闭了您账户的两步验证，所有设备已退出登录。请在下次登录后重新设置。如果不是您要求的，请联系我们。"},
		"打开账户", "这封邮件关系到您的账户安全。"},
}
