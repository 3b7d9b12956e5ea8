package rooms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"wenzhen.example/rooms"
)

func TestWithoutLinks(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"王芳":                            "王芳",
		"José María O'Neill-Çelik":      "José María O'Neill-Çelik",
		"  two\t blanks\r\nand lines  ": "two blanks and lines",
		"账户异常，请登录 https://evil.example/login 验证": "账户异常，请登录 https: evil. example login 验证",
		"www.evil.example":            "www. evil. example",
		"evil。example":                "evil。 example",
		"write to a@b.example":        "write to a b. example",
		"Mozilla/5.0 (X11; rv:1.2)":   "Mozilla/5.0 (X11; rv:1.2)",
		"ends with \\":                "ends with",
		"=?utf-8?q?x?=":               "= ?utf-8?q?x?=",
		"a\u202egnp.exe\u2066b":       "agnp. exeb",
		"zero\u200bwidth\u2060\ufeff": "zerowidth",
		"\u3164\u2800\u115f":          "–",
		"\U000e0041tags\ufe0f":        "tags",
		"nul\x00esc\x1b[31m":          "nul esc [31m",
		"":                            "–",
		"bad \xff utf-8":              "bad utf-8",
	} {
		if got := rooms.WithoutLinks(in, 60); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := rooms.WithoutLinks(strings.Repeat("长", 100), 20); utf8.RuneCountInString(got) != 20 || !strings.HasSuffix(got, "…") {
		t.Errorf("a long name became %q", got)
	}
	if got := rooms.WithoutLinks("Z"+strings.Repeat("\u0301", 200), 60); utf8.RuneCountInString(got) > 5 {
		t.Errorf("a tower of marks became %q", got)
	}
}

func FuzzWithoutLinks(f *testing.F) {
	f.Add("https://evil.example", 20)
	f.Add("=?utf-8?b?eA==?=\u202e", 3)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 1 + max(0, most%100)
		got := rooms.WithoutLinks(s, most)
		if n := utf8.RuneCountInString(got); n == 0 || n > most || !utf8.ValidString(got) {
			t.Fatalf("%q became %q, of %d characters", s, got, n)
		}
		if strings.Contains(got, "://") || strings.Contains(got, "=?") || strings.ContainsAny(got, "\r\n\x00\u202e\u200b@\\") {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
