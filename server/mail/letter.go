package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
)

// Letter is what a mail says, in the language of who gets it.
type Letter struct {
	// Locale is the language that the words are in (BCP 47): "zh-CN", "en".
	// What the letter is framed with follows it.
	Locale string
	// Subject is the mail's subject and its heading.
	Subject string
	// Lines are the paragraphs.
	Lines []string
	// Action is the one thing to do, shown as a button; nil for none.
	Action *Action
	// Reason says at the foot why one gets this mail.
	Reason string
}

// Action is a link that is to be followed.
type Action struct{ Label, URL string }

//go:embed templates
var templates embed.FS

var (
	textLetter = texttemplate.Must(texttemplate.ParseFS(templates, "templates/letter.txt"))
	htmlLetter = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/letter.html"))
)

// frame is the words around a letter, by language.
var frame = map[string]struct{ Name, Fallback, NoReply string }{
	"zh": {"问诊", "按钮无法点击时，请在浏览器中打开此链接：", "此邮件由系统自动发送，请勿回复。"},
	"en": {"Wenzhen", "If the button does not work, open this link in your browser:", "This mail was sent automatically; please do not reply."},
}

// Message writes the letter to someone, in text and in HTML. id identifies the
// message permanently: see Message.ID.
func (l Letter) Message(id string, to Address) (Message, error) {
	language, _, _ := strings.Cut(l.Locale, "-")
	words, ok := frame[language]
	if !ok {
		language = "en"
		words = frame[language]
	}
	page := struct {
		Letter
		Language, Name, Fallback, NoReply string
	}{l, language, words.Name, words.Fallback, words.NoReply}
	var text, html strings.Builder
	if err := textLetter.Execute(&text, page); err != nil {
		return Message{}, fmt.Errorf("letter: %w", err)
	}
	if err := htmlLetter.Execute(&html, page); err != nil {
		return Message{}, fmt.Errorf("letter: %w", err)
	}
	return Message{ID: id, To: to, Subject: l.Subject, Text: text.String(), HTML: html.String()}, nil
}
