package icd10

import (
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	x := NewIndex(Common())
	for typed, want := range map[string]string{
		"J06.9": "J06.9", "j069": "J06.9", "高血压": "I10", "原发性高血压": "I10", "偏头痛": "G43.9",
		"migraine": "G43.9", "migrane": "G43.9", "mirgaine": "G43.9", "hypertention": "I10", "acute bronch": "J20.9",
		"yfxgxy": "I10", "gaoxueya": "I10", "ptt": "G43.9", "piantoutong": "G43.9", "piantoutog": "G43.9",
		"急性支气管言": "J20.9", "荨麻诊": "L50.9", "2型糖尿病": "E11.9", "  Migraine ": "G43.9", "HAND foot": "B08.4",
	} {
		found := x.Search(typed, 10)
		ok := false
		for _, c := range found {
			ok = ok || c.Code == want
		}
		if !ok {
			t.Errorf("%q finds %v, not %s", typed, found, want)
		}
	}
	for _, typed := range []string{"", "   ", "qqqqqqqq", "龘龘龘", "'; DROP TABLE", strings.Repeat("x", 5000)} {
		if found := x.Search(typed, 10); len(found) > 0 {
			t.Errorf("%q finds %v", typed, found)
		}
	}
	if first := x.Search("急性上呼吸道感染", 3)[0]; first.Code != "J06.9" {
		t.Errorf("what is typed exactly does not come first, but %v", first)
	}
	if got := len(x.Search("a", 7)); got > 7 {
		t.Errorf("%d entries, 7 were asked for", got)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader("\ufeffEn,code,x,Zh\nCholera,a00.9,,霍乱\n,B01.9,,水痘\n"))
	if err != nil || len(got) != 2 || got[0] != (Coding{"A00.9", "霍乱", "Cholera"}) || got[1] != (Coding{"B01.9", "水痘", ""}) {
		t.Errorf("got %v, %v", got, err)
	}
	for csv, want := range map[string]string{
		"":                              "the first line",
		"code,en\nA00,x\n":              `no column "zh"`,
		"code,zh,en\n":                  "no codes",
		"code,zh,en\nnonsense,x,y\n":    "line 2",
		"code,zh,en\nA00,,\n":           "no name",
		"code,zh,en\nA00,a,a\nA00,b,\n": "line 3: A00 is in line 2",
		"code,zh,en\nA00,a\n":           "line 2",
		"code,zh,en\nA00,\xff,\n":       "UTF-8",
	} {
		if _, err := Read(strings.NewReader(csv)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", csv, err, want)
		}
	}
}

// The national tables are a hundred times as long as ours.
func BenchmarkSearch(b *testing.B) {
	var table []Coding
	for range 100 {
		table = append(table, Common()...)
	}
	x := NewIndex(table)
	for b.Loop() {
		x.Search("hypertention", 20)
	}
}

// FuzzSearch: whatever is typed finds entries of the table, none of them
// twice, no more than were asked for; fewer are the first of more.
func FuzzSearch(f *testing.F) {
	for _, typed := range []string{"高血压", "\xff", "I10", "gxy", "hypertention", "感冒 j0", "diabetes type 2"} {
		f.Add(typed)
	}
	table := map[Coding]bool{}
	for _, c := range Common() {
		table[c] = true
	}
	x := NewIndex(Common())
	f.Fuzz(func(t *testing.T, typed string) {
		found := x.Search(typed, 5)
		if len(found) > 5 {
			t.Error("more than asked for")
		}
		seen := map[Coding]bool{}
		for _, c := range found {
			if !table[c] || seen[c] {
				t.Errorf("%q finds %+v among %+v", typed, c, found)
			}
			seen[c] = true
		}
		if first := x.Search(typed, 1); len(found) > 0 && (len(first) != 1 || first[0] != found[0]) {
			t.Errorf("%q finds %+v, then %+v", typed, found, first)
		}
	})
}
