package export

import (
	"archive/zip"
	_ "embed"
	"html/template"
	"io"
	"strings"

	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
)

//go:embed pages.html
var source string

var templates = template.Must(template.New("pages").Parse(source))

// overview is the first page.
type overview struct {
	Words         wording
	User          account.User
	At            string
	Patients      []account.Patient
	Consultations []consultation.Consultation
}

// visit is the page of a consultation.
type visit struct {
	Words        wording
	Consultation consultation.Consultation
	Lines        []line
	Documents    []document
}

// line is a message on a page.
type line struct {
	At, Name, Text, File, FileName string
	Kind                           chat.Kind
	Mine, Recalled, Missing        bool
}

// document is a signed one.
type document struct{ Name, Title string }

func (j *job) page(name, of string, v any) error {
	return j.out.add(name, zip.Deflate, func(w io.Writer) error { return templates.ExecuteTemplate(w, of, v) })
}

// wording is the words of the pages in a language.
type wording map[string]string

// wordingFor is Chinese or, for everyone else, English.
func wordingFor(locale string) wording {
	if strings.HasPrefix(locale, "zh") {
		return chinese
	}
	return english
}

var english = wording{"lang": "en", "title": "Your data", "asOf": "As of", "account": "Account", "name": "Name", "email": "Email", "role": "Role", "joined": "Joined",
	"patients": "Patient profiles", "born": "Born", "consultations": "Consultations", "doctor": "Doctor", "patient": "Patient", "complaint": "Complaint", "status": "Status",
	"opened": "Opened", "none": "None.", "machine": "For machines", "files": "The JSON files beside this page hold everything; fhir.json holds your records as FHIR R4. manifest.json lists all files.",
	"back": "Back", "me": "You", "recalled": "recalled", "missing": "this file could not be read", "documents": "Documents", "diagnosis": "Diagnosis", "prescription": "Prescription", "other": "The system or another participant"}

var chinese = wording{"lang": "zh-CN", "title": "您的数据", "asOf": "截至", "account": "账户", "name": "姓名", "email": "邮箱", "role": "角色", "joined": "注册时间",
	"patients": "就诊人", "born": "出生日期", "consultations": "问诊", "doctor": "医生", "patient": "就诊人", "complaint": "主诉", "status": "状态",
	"opened": "创建时间", "none": "无", "machine": "供程序读取", "files": "本页旁边的 JSON 文件包含全部内容；fhir.json 是 FHIR R4 格式的健康档案；manifest.json 列出所有文件。",
	"back": "返回", "me": "您", "recalled": "已撤回", "missing": "此文件无法读取", "documents": "医疗文书", "diagnosis": "诊断", "prescription": "处方", "other": "系统或其他参与者"}
