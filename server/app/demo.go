package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/rooms/schedule"
	accountstore "wenzhen.example/rooms/store/account"
)

// DemoAccount is a login that the demo shows to everyone.
type DemoAccount struct {
	Role     rooms.Role `json:"role"`
	Name     string     `json:"name"`
	Email    string     `json:"email"`
	Password string     `json:"password"`
}

// The demo's people. The domain is reserved for examples (RFC 2606).
const demoPassword = "wenzhen-demo"

var demoAccounts = []DemoAccount{
	{rooms.RolePatient, "张波 Bo", "bo@wenzhen.example", demoPassword},
	{rooms.RolePatient, "陈静 Jing", "jing@wenzhen.example", demoPassword},
	{rooms.RoleDoctor, "王芳 Wang Fang", "wang@wenzhen.example", demoPassword},
	{rooms.RoleDoctor, "李明 Li Ming", "li@wenzhen.example", demoPassword},
	{rooms.RoleAdmin, "管理员 Admin", "admin@wenzhen.example", demoPassword},
}

// demoLocale shows the frontend in English to one patient and one doctor.
var demoLocale = map[string]string{"jing@wenzhen.example": "en", "li@wenzhen.example": "en"}

// demo fills an empty server through its own commands, as people would.
type demo struct {
	accounts  *account.Service
	store     accountstore.Store
	catalogue *rooms.Catalogue
	people    map[string]rooms.Actor
}

// seed fills the database if it has no users, and returns the demo's accounts
// if they are there (now, or from an earlier start).
func seed(ctx context.Context, d demo) ([]DemoAccount, error) {
	admin := rooms.Actor{Role: rooms.RoleAdmin}
	users, err := ask(ctx, d.catalogue, admin, account.Users, account.UserFilter{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(users.Items) == 0 {
		if err := d.fill(ctx); err != nil {
			return nil, err
		}
		return demoAccounts, nil
	}
	users, err = ask(ctx, d.catalogue, admin, account.Users, account.UserFilter{Q: demoAccounts[0].Email})
	if err != nil || len(users.Items) == 0 {
		return nil, err // a database with people of its own
	}
	return demoAccounts, nil
}

// noDemoAccounts returns an error if an account that a demo made is active,
// whatever its password is now. Databases of before did not note which those are:
// there they are found by the password that the demo publishes.
func noDemoAccounts(ctx context.Context, accounts *account.Service, store accountstore.Store) error {
	active, err := store.ActiveDemo(ctx)
	if err != nil {
		return err
	}
	if len(active) > 0 {
		return fmt.Errorf("demo: this database was filled by --demo, and its accounts %s are active; start in a new data folder, or suspend each of them (wenzhen users suspend ADDRESS; before the last admin, wenzhen admin create), or give --demo again", strings.Join(active, ", "))
	}
	for _, a := range demoAccounts {
		open, err := accounts.HasPassword(ctx, a.Email, a.Password)
		if err != nil {
			return err
		}
		if open {
			return fmt.Errorf("demo: this database was filled by --demo, and everyone knows the password of %s; start in a new data folder, or suspend the demo's accounts, or give --demo again", a.Email)
		}
	}
	return nil
}

// ask sends a command as someone.
func ask[In, Out any](ctx context.Context, c *rooms.Catalogue, as rooms.Actor, command rooms.Command[In, Out], in In) (Out, error) {
	var out Out
	raw, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, err := c.Answer(ctx, as, command.Name, raw)
	if err != nil {
		return out, fmt.Errorf("%s: %w", command.Name, err)
	}
	return out, json.Unmarshal(answer, &out)
}

func (d *demo) fill(ctx context.Context) error {
	d.people = map[string]rooms.Actor{}
	var emails []string
	for _, a := range demoAccounts {
		emails = append(emails, a.Email)
	}
	if err := d.store.MarkDemo(ctx, emails); err != nil {
		return err
	}
	for _, a := range demoAccounts {
		if a.Role == rooms.RoleAdmin {
			if _, err := d.accounts.CreateAdmin(ctx, a.Name, a.Email, a.Password); err != nil {
				return err
			}
			continue
		}
		login, err := ask(ctx, d.catalogue, rooms.Actor{}, account.Register,
			account.RegisterInput{Role: a.Role, Name: a.Name, Email: a.Email, Password: a.Password, Locale: demoLocale[a.Email], TimeZone: "Asia/Shanghai"})
		if err != nil {
			return err
		}
		d.people[a.Email] = rooms.Actor{UserID: login.User.ID, Role: a.Role}
	}
	if err := d.openPractice(ctx, "wang@wenzhen.example", "主任医师", "内科", "110110000000001",
		"二十年内科临床经验，擅长高血压、糖尿病与呼吸道疾病。Twenty years in internal medicine: hypertension, diabetes, airways.",
		"您好，请问症状持续多久了？", "请问有没有药物过敏史？", "Please send me a photo of the report."); err != nil {
		return err
	}
	if err := d.openPractice(ctx, "li@wenzhen.example", "副主任医师", "皮肤科", "110110000000002",
		"皮肤科常见病、多发病，湿疹与痤疮的长期管理。Dermatology: eczema and acne in the long run.",
		"请上传患处的清晰照片。", "这种情况不用担心。"); err != nil {
		return err
	}
	return d.talk(ctx)
}

func (d *demo) openPractice(ctx context.Context, doctor, title, department, licence, bio string, replies ...string) error {
	onDuty, languages := true, []string{"zh", "en"}
	services := []account.DoctorService{
		{Service: account.Advice, Medium: account.Text, Price: 0, Currency: "CNY", Minutes: 15},
		{Service: account.Followup, Medium: account.Text, Price: 0, Currency: "CNY", Minutes: 15},
	}
	who := d.people[doctor]
	if _, err := ask(ctx, d.catalogue, who, account.UpdateDoctor, account.DoctorChange{Title: &title, Department: &department, Licence: &licence, Bio: &bio,
		Languages: &languages, Services: &services, OnDuty: &onDuty}); err != nil {
		return err
	}
	hours := schedule.ScheduleInput{TimeZone: "Asia/Shanghai"}
	for day := 1; day <= 5; day++ {
		for _, half := range [][2]string{{"09:00", "12:00"}, {"14:00", "17:30"}} {
			hours.Rules = append(hours.Rules, schedule.Rule{Weekday: day, Start: half[0], End: half[1], SlotMinutes: 30, Capacity: 1, Media: []account.Medium{account.Text}})
		}
	}
	if _, err := ask(ctx, d.catalogue, who, schedule.SaveSchedule, hours); err != nil {
		return err
	}
	var list chat.QuickReplyList
	for _, text := range replies {
		list.Items = append(list.Items, chat.QuickReply{Text: text})
	}
	if _, err := ask(ctx, d.catalogue, who, chat.SaveQuickReplies, list); err != nil {
		return err
	}
	_, err := ask(ctx, d.catalogue, rooms.Actor{Role: rooms.RoleAdmin}, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: who.UserID})
	return err
}

// talk leaves one consultation that ended, one that goes on and one that waits.
func (d *demo) talk(ctx context.Context) error {
	bo, jing, wang, li := d.people["bo@wenzhen.example"], d.people["jing@wenzhen.example"], d.people["wang@wenzhen.example"], d.people["li@wenzhen.example"]
	ended, err := d.consult(ctx, bo, li, "手臂上起了红疹，有点痒，三天了。", []line{
		{bo, "李医生好，手臂上起了一片红疹。"}, {li, "您好！最近有没有接触新的洗涤剂，或者吃过平时不吃的东西？"},
		{bo, "上周换了新的洗衣液。"}, {li, "很可能是接触性皮炎。先停用新的洗衣液，保持皮肤清洁干燥，不要抓挠。"},
		{li, "三天后没有好转请到线下皮肤科就诊。"}, {bo, "明白了，谢谢医生！"},
	})
	if err != nil {
		return err
	}
	if _, err := ask(ctx, d.catalogue, li, consultation.End, consultation.EndInput{ConsultationID: ended, Reason: "建议观察三天。"}); err != nil {
		return err
	}
	if _, err := d.consult(ctx, bo, wang, "最近总是头晕，血压偏高，早上 150/95。", []line{
		{bo, "王医生好，这两周早上起来头晕。"}, {wang, "您好，血压是每天同一时间量的吗？"}, {bo, "早上七点左右，150/95 上下。"},
	}); err != nil {
		return err
	}
	_, err = ask(ctx, d.catalogue, jing, consultation.Open, consultation.OpenInput{DoctorID: wang.UserID, Service: account.Advice, Medium: account.Text,
		Complaint: "咳嗽一周，夜里加重，没有发烧。"})
	return err
}

type line struct {
	who  rooms.Actor
	text string
}

func (d *demo) consult(ctx context.Context, patient, doctor rooms.Actor, complaint string, lines []line) (consultation.ID, error) {
	opened, err := ask(ctx, d.catalogue, patient, consultation.Open,
		consultation.OpenInput{DoctorID: doctor.UserID, Service: account.Advice, Medium: account.Text, Complaint: complaint})
	if err != nil {
		return "", err
	}
	id := opened.Consultation.ID
	if _, err := ask(ctx, d.catalogue, doctor, consultation.Accept, consultation.Input{ConsultationID: id}); err != nil {
		return "", err
	}
	for i, l := range lines {
		if _, err := ask(ctx, d.catalogue, l.who, chat.Send,
			chat.SendInput{ConsultationID: id, ClientID: fmt.Sprintf("demo-%d", i), Kind: chat.Text, Text: l.text}); err != nil {
			return "", err
		}
	}
	return id, nil
}
