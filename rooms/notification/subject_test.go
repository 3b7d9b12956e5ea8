package notification

import (
	"strings"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
)

// A stranger's name is no subject of our mail, and neither its title nor its
// text leads anywhere (SEC-15).
func TestNamesLeadNowhere(t *testing.T) {
	t.Parallel()
	const name = "账户异常，请立即登录 https://evil.example/login\u202e\u200b\r\n验证 =?utf-8?q?x?="
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for language, topics := range wording {
		for topic := range topics {
			n := Notification{Topic: topic, Facts: Facts{Name: name, Start: &start, Amount: 5000, Currency: "CNY"}, Cause: Cause{Room: rooms.RoomID("consultation:1")}}
			n = n.worded(account.User{Locale: language, TimeZone: "UTC"})
			if n.Subject == "" || strings.Contains(n.Subject, "账户") || strings.Contains(n.Subject, "evil") || strings.Contains(n.Subject, "{{") {
				t.Errorf("%s in %s has the subject %q", topic, language, n.Subject)
			}
			if all := n.Title + n.Text; strings.Contains(all, "evil.example") || strings.Contains(all, "://") || strings.ContainsAny(all, "\u202e\u200b\r\n") {
				t.Errorf("%s in %s says %q", topic, language, all)
			}
		}
	}
}
