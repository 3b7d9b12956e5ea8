package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wenzhen.example/rooms"
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
	fill := strings.NewReplacer("{name}", rooms.WithoutLinks(to.Name, 60), "{device}", rooms.WithoutLinks(session.UserAgent, 120), "{address}", session.Address,
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
		link += page + s.signTicket(ticket.Kind, ticket.ID)
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
	letterRegister: {"Confirm your registration", []string{"Hello,", "please confirm that you want an account with this email address. The link is valid for 48 hours and works once. Your account is created when you confirm, and you can then log in."},
		"Create my account", "Someone signed up with your email address. If it wasn’t you, ignore this email: no account is created."},
	letterTaken: {"You already have an account", []string{"Hello,", "someone, perhaps you, tried to sign up with this email address, which already has an account. Log in, or set a new password if you’ve forgotten yours."},
		"Log in", "Someone signed up with your email address. If it wasn’t you, you don’t need to do anything."},
	letterVerify: {"Verify your email address", []string{"Hello,", "please verify that this is your email address. The link is valid for 48 hours and works once."},
		"Verify", "Someone signed up with your email address. If it wasn’t you, ignore this email."},
	letterReset: {"Set a new password", []string{"Hello,", "use the link to set a new password. It is valid for one hour and works once."},
		"Set a new password", "Someone asked to reset the password of your account. If it wasn’t you, ignore this email: your password stays the same."},
	letterNewDevice: {"A new device logged in to your account", []string{"Hello {name},", "your account was just used to log in on a new device:",
		"{device}\n{address}\n{at}", "If it was you, you don’t need to do anything. If not, log that device out and change your password."},
		"View your devices", "You’re receiving this email because it concerns your account."},
	letterPassword: {"Your password was changed", []string{"Hello {name},", "the password of your account was changed, and other devices were logged out. If it wasn’t you, set a new password immediately."},
		"It wasn’t me", "You’re receiving this email because it concerns your account."},
	letterSuspended: {"Your account was suspended", []string{"Hello {name},", "the clinic has suspended your account. Your open consultations and appointments were ended or cancelled, and services not provided are refunded.",
		"If you think this is a mistake, please contact the clinic."}, "", "You’re receiving this email because it concerns your account."},
	letterUnsuspended: {"You can use your account again", []string{"Hello {name},", "the clinic has lifted the suspension of your account. You can log in again."},
		"Log in", "You’re receiving this email because it concerns your account."},
	letterVerified: {"You are verified", []string{"Hello {name},", "the clinic has reviewed your name, title, department and licence. Patients can find you now."},
		"View your profile", "You’re receiving this email because it concerns your account."},
	letterUnverified: {"You are not verified", []string{"Hello {name},", "the clinic has reviewed your name, title, department and licence, and did not verify them. The reason is in your practice profile.",
		"Once you’ve corrected it, it will be reviewed again."}, "View your profile", "You’re receiving this email because it concerns your account."},
	letterFactor: {"Two-factor authentication was turned off", []string{"Hello {name},", "an administrator turned off two-factor authentication for your account, and all devices were logged out. Please set it up again after your next login. If you didn’t ask for this, contact the clinic."},
		"Open your account", "You’re receiving this email because it concerns your account."},
}

var lettersZh = map[string]words{
	letterRegister: {"请确认注册", []string{"您好：", "请点击下面的按钮，确认用此邮箱注册账户。链接 48 小时内有效，只能使用一次；确认后账户即创建，您可以登录。"},
		"创建账户", "有人用您的邮箱注册。如果不是您本人，请忽略此邮件，账户不会创建。"},
	letterTaken: {"您已经有账户", []string{"您好：", "有人（可能是您）用此邮箱注册，但该邮箱已有账户。请直接登录；如果忘记密码，可以重设。"},
		"登录", "有人用您的邮箱注册。如果不是您本人，无需处理。"},
	letterVerify: {"请验证您的邮箱", []string{"您好：", "请点击下面的按钮，验证您的邮箱。链接 48 小时内有效，只能使用一次。"},
		"验证邮箱", "有人用您的邮箱注册了账户。如果不是您本人，请忽略此邮件。"},
	letterReset: {"重设密码", []string{"您好：", "请点击下面的按钮设置新密码。链接一小时内有效，只能使用一次。"},
		"设置新密码", "有人申请为您的账户重设密码。如果不是您本人，请忽略此邮件，密码不会改变。"},
	letterNewDevice: {"您的账户在新设备上登录", []string{"{name}，您好：", "您的账户刚在新设备上登录：", "{device}\n{address}\n{at}", "如果是您本人，无需处理。如果不是，请立即将该设备退出登录，并修改密码。"},
		"查看登录设备", "此邮件与您的账户安全有关。"},
	letterPassword: {"您的密码已修改", []string{"{name}，您好：", "您的账户密码刚刚被修改，其他设备已退出登录。如果不是您本人操作，请立即重设密码。"},
		"不是我本人", "此邮件与您的账户安全有关。"},
	letterSuspended: {"您的账户已停用", []string{"{name}，您好：", "机构已停用您的账户。您的问诊和预约已结束或取消，未提供的服务将全额退款。", "如有疑问，请联系机构。"},
		"", "此邮件与您的账户有关。"},
	letterUnsuspended: {"您的账户已恢复", []string{"{name}，您好：", "机构已恢复您的账户，您可以重新登录。"},
		"登录", "此邮件与您的账户有关。"},
	letterVerified: {"您已通过核验", []string{"{name}，您好：", "机构已核验您的姓名、职称、科室和执业证书编号，患者现在可以找到您。"},
		"查看我的资料", "此邮件与您的账户有关。"},
	letterUnverified: {"您未通过核验", []string{"{name}，您好：", "您的姓名、职称、科室和执业证书编号未通过机构核验，原因见您的执业资料。", "修改后将重新核验。"},
		"查看我的资料", "此邮件与您的账户有关。"},
	letterFactor: {"您的两步验证已关闭", []string{"{name}，您好：", "管理员关闭了您账户的两步验证，所有设备已退出登录。请在下次登录后重新设置。如果不是您要求的，请联系我们。"},
		"打开账户", "此邮件与您的账户安全有关。"},
}
