package drug

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// parse reads items of tests: "paracetamol 500 mg qid" or, with a strength,
// "布洛芬混悬液 [20 mg/ml] 5 ml tid". A route other than by mouth follows with @.
func parse(t *testing.T, text string) []Item {
	t.Helper()
	var list []Item
	for s := range strings.SplitSeq(text, " | ") {
		item := Item{}
		s, item.Route, _ = strings.Cut(s, " @")
		if from := strings.Index(s, "["); from >= 0 {
			to := strings.Index(s, "]")
			item.Strength = s[from+1 : to]
			s = s[:from] + s[to+2:]
		}
		words := strings.Fields(s)
		n := len(words)
		if n < 4 {
			t.Fatalf("%q has %d words", s, n)
		}
		item.Drug, item.Unit = strings.Join(words[:n-3], " "), words[n-2]
		if _, err := fmt.Sscan(words[n-3], &item.Dose); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		perDay := map[string]float64{"qd": 1, "bid": 2, "tid": 3, "qid": 4, "q6h": 4, "q8h": 3, "qw": 1. / 7, "prn": 0, "st": 1}
		item.PerDay = perDay[words[n-1]]
		list = append(list, item)
	}
	return list
}

var (
	man      = Patient{AgeMonths: 45 * 12}
	woman    = Patient{AgeMonths: 30 * 12, Female: true, Pregnancy: "none"}
	pregnant = Patient{AgeMonths: 30 * 12, Female: true, Pregnancy: "pregnant", Weeks: 10}
	late     = Patient{AgeMonths: 30 * 12, Female: true, Pregnancy: "pregnant", Weeks: 32}
	nursing  = Patient{AgeMonths: 30 * 12, Female: true, Pregnancy: "lactating"}
	infant   = Patient{AgeMonths: 12, WeightKg: 10}
	child    = Patient{AgeMonths: 6 * 12, WeightKg: 20}
	unweighd = Patient{AgeMonths: 12}
	ageless  = Patient{AgeMonths: -1}
)

func allergic(to ...string) Patient {
	p := man
	for _, s := range to {
		p.Allergies = append(p.Allergies, Sensitivity{Substance: s})
	}
	return p
}

func taking(drugs ...string) Patient {
	p := man
	p.Medications = drugs
	return p
}

// What is said of a prescription: each warning as "code severity items", in the
// order of the answer; "none" where nothing was found.
func TestCheck(t *testing.T) {
	t.Parallel()
	table := NewTable(nil)
	for _, c := range []struct {
		name    string
		patient Patient
		items   string
		want    string
	}{
		{"an ordinary cold", man, "对乙酰氨基酚片 500 mg q6h | 氨溴索片 30 mg tid", "none"},
		{"an ordinary antibiotic", woman, "Amoxicillin capsules 500 mg tid", "none"},
		{"hypertension", man, "苯磺酸氨氯地平片 5 mg qd | 缬沙坦胶囊 80 mg qd", "none"},
		{"a cream and a tablet", man, "aciclovir 400 mg tid | 阿昔洛韦乳膏 1 支 bid @topical", "none"},

		{"allergy by the same name", allergic("penicillin"), "青霉素V钾片 500 mg qid", "allergy warn 0"},
		{"allergy to the group, in Chinese", allergic("青霉素类"), "amoxicillin 500 mg tid", "allergy warn 0"},
		{"allergy by a brand", allergic("Augmentin"), "阿莫西林胶囊 500 mg tid", "allergy warn 0"},
		{"allergy, another spelling", allergic("Amoxycillin"), "amoxicillin 500 mg tid", "allergy warn 0"},
		{"allergy, a typing error", allergic("amoxicilin"), "amoxicillin 500 mg tid", "allergy warn 0"},
		{"allergy, a homophone", allergic("阿莫西灵"), "amoxicillin 500 mg tid", "allergy warn 0"},
		{"allergy across the group", allergic("penicillin"), "头孢克洛胶囊 250 mg tid", "allergy warn 0"},
		{"allergy to sulfa", allergic("sulfa drugs"), "复方新诺明 960 mg bid", "allergy warn 0"},
		{"allergy to aspirin", allergic("乙酰水杨酸"), "布洛芬 400 mg tid", "allergy warn 0"},
		{"allergy to a part of a product", allergic("扑热息痛"), "[每片] 泰诺感冒片 1 片 tid", "allergy warn 0"},
		{"allergy to what is in no table", allergic("丹参"), "复方丹参滴丸 10 丸 tid", "allergy warn 0 unknown_drug info 0"},
		{"no allergy to the other quinine", allergic("pollen", "花粉"), "loratadine 10 mg qd", "none"},

		{"twice by two names", man, "acetaminophen 500 mg tid | 必理通 500 mg tid", "duplicate warn 0,1"},
		{"twice in a product", man, "感康 1 片 bid | paracetamol 500 mg tid", "duplicate warn 0,1"},
		{"twice in two products", man, "999感冒灵 1 袋 tid | 泰诺感冒片 1 片 tid", "duplicate warn 0,1"},
		{"twice with what is taken", taking("芬必得"), "ibuprofen 400 mg tid", "duplicate warn 0"},
		{"two of one class", man, "ibuprofen 400 mg tid | diclofenac sodium 50 mg bid", "interaction warn 0,1"},
		{"combination and single", man, "Augmentin 625 mg tid | amoxicillin 500 mg tid", "duplicate warn 0,1"},

		{"warfarin and aspirin", man, "华法林 3 mg qd | aspirin 100 mg qd", "interaction warn 0,1"},
		{"warfarin and what is taken", taking("warfarin 3 mg"), "布洛芬缓释胶囊 300 mg bid", "interaction warn 0"},
		{"warfarin and metronidazole", taking("华法林钠片"), "甲硝唑片 400 mg tid", "interaction warn 0"},
		{"nitrate and sildenafil", taking("硝酸甘油"), "万艾可 50 mg prn", "interaction stop 0"},
		{"simvastatin and clarithromycin", man, "辛伐他汀 20 mg qd | 克拉霉素 500 mg bid", "interaction stop 0,1"},
		{"an SSRI and an MAO inhibitor", taking("selegiline"), "sertraline 50 mg qd", "interaction stop 0"},
		{"methotrexate and trimethoprim", taking("MTX"), "复方磺胺甲噁唑片 960 mg bid", "interaction stop 0"},
		{"azathioprine and allopurinol", taking("硫唑嘌呤"), "别嘌醇 100 mg qd", "interaction stop 0"},
		{"clopidogrel and omeprazole", taking("波立维"), "奥美拉唑 20 mg qd", "interaction warn 0"},
		{"ACE inhibitor and potassium", taking("依那普利"), "螺内酯 20 mg qd", "interaction warn 0"},
		{"two that prolong QT", man, "左氧氟沙星 500 mg qd | 氟康唑 150 mg qd", "interaction warn 0,1"},
		{"antibiotic and calcium", taking("钙尔奇"), "doxycycline 100 mg bid", "interaction warn 0"},
		{"contraceptive and carbamazepine", Patient{AgeMonths: 300, Female: true, Pregnancy: "none", Medications: []string{"优思明"}}, "carbamazepine 200 mg bid", "interaction warn 0"},
		{"a Cyrillic letter in the name", allergic("penicillin"), "аmoxicillin 500 mg tid", "allergy warn 0"},
		{"a zero-width space in the name", allergic("penicillin"), "amo\u200bxicillin 500 mg tid", "allergy warn 0"},
		{"an accent in the name", allergic("penicillin"), "amoxicillín 500 mg tid", "allergy warn 0"},
		{"a drug of no table for a patient with allergies", allergic("penicillin"), "a m o x i c i l l i n 500 mg tid", "allergy warn 0 unknown_drug info 0"},
		{"a full-width strength", man, "paracetamol [５００ｍｇ] 20 片 qid", "dose_high stop 0"},
		{"a strength as a power of ten", man, "paracetamol [1e3mg] 20 片 qid", "dose_unknown info 0"},
		{"a route that the drug does not have switches nothing off", child, "isotretinoin 10 mg qd @topical", "age stop 0 route warn 0"},
		{"the same in the eye, in pregnancy", pregnant, "isotretinoin 10 mg qd @eye", "pregnancy stop 0 route warn 0"},
		{"the same for interactions", taking("warfarin"), "fluconazole 150 mg qd @inhaled", "route warn 0 interaction warn 0"},
		{"the same for doses", man, "paracetamol 10000 mg tid @nasal", "dose_high stop 0 route warn 0"},
		{"the same by a vein", man, "metformin 500 mg bid @intravenous", "route warn 0"},
		{"no dose is compared of what is inhaled", man, "salbutamol 5000 ug qid @inhaled", "none"},
		{"what is absorbed interacts", taking("propranolol"), "salbutamol 100 ug prn @inhaled", "interaction warn 0"},
		{"drops of an ear are those of an eye", man, "左氧氟沙星 1 支 bid @ear", "none"},
		{"no interaction of a cream", taking("warfarin"), "酮康唑乳膏 1 支 bid @topical", "none"},

		{"five grams", man, "paracetamol 5000 mg qid", "dose_high stop 0"},
		{"too much in a day", man, "paracetamol 1 g q6h | 感冒灵颗粒 1 袋 tid", "duplicate warn 0,1 dose_high warn 0,1"},
		{"grams for milligrams", man, "amlodipine 5 g qd", "dose_high stop 0"},
		{"tablets of a strength", man, "对乙酰氨基酚片 [0.5g*24片] 3 片 qid", "dose_high warn 0"},
		{"tablets without one", man, "对乙酰氨基酚片 3 片 qid", "dose_unknown info 0"},
		{"micrograms", man, "左甲状腺素 50 µg qd", "none"},
		{"micrograms, another sign", man, "优甲乐 500 mcg qd", "dose_high warn 0"},
		{"a microgram drug in milligrams", man, "优甲乐 50 mg qd", "dose_high stop 0"},
		{"weekly, each day", man, "甲氨蝶呤 10 mg qd", "controlled warn 0 dose_high warn 0"},
		{"weekly", man, "methotrexate 10 mg qw", "controlled warn 0"},
		{"too little", man, "amoxicillin 50 mg tid", "dose_low info 0"},
		{"units", man, "胰岛素 800 单位 tid", "dose_high stop 0"},
		{"as needed, too much at once", man, "佐匹克隆 15 mg prn", "controlled warn 0 dose_high warn 0"},

		{"a child's syrup", infant, "布洛芬混悬液 [20 mg/ml] 5 ml tid", "none"},
		{"a child's syrup in Chinese notation", infant, "对乙酰氨基酚混悬液 [15ml:1.5g] 1.5 毫升 qid", "none"},
		{"ten times as much", infant, "布洛芬混悬液 [100mg/5ml] 50 ml tid", "dose_high stop 0"},
		{"a dose for adults", child, "amoxicillin 1000 mg tid", "dose_high warn 0"},
		{"no weight, plausible", unweighd, "ibuprofen 100 mg tid", "dose_unknown info 0"},
		{"no weight, impossible", unweighd, "ibuprofen 400 mg qid", "dose_high warn 0"},
		{"drops", infant, "西替利嗪滴剂 [10 mg/ml] 5 滴 bid", "none"},
		{"no dose for children", Patient{AgeMonths: 72, WeightKg: 20}, "氯沙坦 25 mg qd", "none"},
		{"none for children in the table", Patient{AgeMonths: 9 * 12, WeightKg: 28}, "fosfomycin 3000 mg st", "age warn 0 dose_unknown warn 0"},

		{"codeine for a child", child, "codeine 15 mg tid", "age stop 0 controlled warn 0"},
		{"aspirin for a child", child, "aspirin 300 mg tid", "age warn 0 dose_unknown warn 0"},
		{"a quinolone for a child", child, "左氧氟沙星 100 mg bid", "age warn 0 dose_unknown warn 0"},
		{"loperamide for an infant", infant, "易蒙停 1 mg tid", "age stop 0 dose_high warn 0"},
		{"nimesulide for a child", child, "尼美舒利 50 mg bid", "age stop 0"},
		{"no birth date", ageless, "doxycycline 100 mg bid", "age info 0"},

		{"isotretinoin in pregnancy", pregnant, "异维A酸 20 mg qd", "pregnancy stop 0"},
		{"isotretinoin, nothing stated", Patient{AgeMonths: 300, Female: true}, "异维A酸 20 mg qd", "pregnancy warn 0"},
		{"ibuprofen early", pregnant, "ibuprofen 400 mg tid", "pregnancy info 0"},
		{"ibuprofen late", late, "ibuprofen 400 mg tid", "pregnancy warn 0"},
		{"an ACE inhibitor in pregnancy", pregnant, "依那普利 5 mg qd", "pregnancy warn 0"},
		{"a quinolone while nursing", nursing, "ciprofloxacin 500 mg bid", "pregnancy warn 0"},
		{"paracetamol in pregnancy", pregnant, "paracetamol 500 mg tid", "none"},

		{"morphine", man, "吗啡缓释片 30 mg bid", "controlled warn 0"},
		{"tramadol by a brand", man, "奇曼丁 100 mg bid", "controlled warn 0"},
		{"cough syrup with codeine", man, "联邦止咳露 10 ml tid", "controlled warn 0"},
		{"a cold remedy is not controlled", man, "新康泰克 1 粒 bid", "none"},

		{"unknown", man, "板蓝根颗粒 1 袋 tid", "unknown_drug info 0"},
		{"known and unknown", man, "amoxicillin + xyzmycin 500 mg tid", "unknown_drug info 0"},
		{"only a form", man, "片 1 片 tid", "unknown_drug info 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := said(table.Check(parse(t, c.items), c.patient, false))
			if got != c.want {
				t.Errorf("%s\n got %s\nwant %s", c.items, got, c.want)
				for _, w := range table.Check(parse(t, c.items), c.patient, false) {
					t.Log(w.MessageZh, "/", w.Message)
				}
			}
		})
	}
}

// said is what was warned of, in short.
func said(warnings []Warning) string {
	var list []string
	for _, w := range warnings {
		s := fmt.Sprintf("%s %s %s", w.Code, w.Severity, strings.Trim(strings.ReplaceAll(fmt.Sprint(w.Items), " ", ","), "[]"))
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, " ")
}

// The case of an independent review: a follow-up of a child of one year.
func TestEveryLineOfADangerousPrescriptionIsNoticed(t *testing.T) {
	t.Parallel()
	items := parse(t, "warfarin 5 mg qid | aspirin 500 mg qid | morphine 吗啡 30 mg qid | paracetamol 5000 mg qid | codeine 30 mg qid | paracetamol 1000 mg qid")
	for _, patient := range []Patient{{AgeMonths: 12}, {AgeMonths: 12, WeightKg: 10}, {AgeMonths: -1}} {
		stops, noticed := 0, map[int]bool{}
		for _, w := range NewTable(nil).Check(items, patient, true) {
			if w.Severity == Stop {
				stops++
			}
			for _, i := range w.Items {
				noticed[i] = noticed[i] || w.Severity != Info
			}
		}
		for i, item := range items {
			if !noticed[i] {
				t.Errorf("age %d: nothing is said of %s", patient.AgeMonths, item.Drug)
			}
		}
		if stops == 0 {
			t.Errorf("age %d: nothing stops it", patient.AgeMonths)
		}
	}
}

// Rules name classes and drugs that exist, and each row has both languages.
func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	table := NewTable(nil)
	for _, d := range Common() {
		known[d.ID] = true
		for _, c := range d.Classes {
			known[c] = true
		}
		if d.Name.Zh == "" || d.Name.En == "" {
			t.Errorf("%s lacks a name", d.ID)
		}
		if d.Single > 0 && d.High > 0 && d.Day > 0 && d.Day < d.High {
			t.Errorf("%s: the highest dose of a day is below a usual one", d.ID)
		}
		for _, p := range d.Parts {
			if table.drugs[p.ID] == nil {
				t.Errorf("%s contains %s, which is in no table", d.ID, p.ID)
			}
		}
	}
	for _, r := range interactions() {
		if !known[r.a] || !known[r.b] || r.effect.Zh == "" || r.effect.En == "" || !slices.Contains([]Severity{Stop, Warn, Info}, r.severity) {
			t.Errorf("interaction %+v", r)
		}
	}
	for _, g := range allergens() {
		for _, c := range slices.Concat(g.classes, g.cross) {
			if !known[c] {
				t.Errorf("allergen %s names %s", g.name.En, c)
			}
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	table := NewTable([]Drug{{ID: "ours", Name: Name{Zh: "本院制剂", En: "our own"}, Controlled: "narcotic"}, {ID: "aspirin", Name: Name{Zh: "阿司匹林", En: "aspirin"}}})
	for typed, want := range map[string]string{"布洛芬": "ibuprofen", "ibupro": "ibuprofen", "美林": "ibuprofen", "blf": "ibuprofen", "buluofen": "ibuprofen", "amoxicilin": "amoxicillin", "our own": "ours"} {
		if !slices.ContainsFunc(table.Search(typed, 10), func(d Drug) bool { return d.ID == want }) {
			t.Errorf("%q does not find %s", typed, want)
		}
	}
	if got := table.Search("a", 3); len(got) > 3 {
		t.Errorf("%d found, 3 were asked for", len(got))
	}
	if d := table.drugs["aspirin"]; len(d.Classes) != 0 {
		t.Error("a clinic's drug does not replace the one that is shipped")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	head := strings.Join(columns(), ",") + "\n"
	row := func(values map[string]string) string {
		var list []string
		for _, c := range columns() {
			list = append(list, values[c])
		}
		return strings.Join(list, ",") + "\n"
	}
	got, err := Read(strings.NewReader("\ufeff" + head + row(map[string]string{"id": "x", "zh": "甲", "unit": "mg", "usual": "5", "day": "20", "ingredients": "aspirin 100;caffeine"})))
	if err != nil || len(got) != 1 || got[0].Low != 5 || got[0].High != 5 || got[0].Day != 20 || len(got[0].Parts) != 2 || got[0].Parts[0].Amount != 100 {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, c := range []struct{ text, want string }{
		{"", "the first line"}, {"id,zh\n", `no column "en"`}, {head, "no drugs"},
		{head + row(map[string]string{"zh": "甲"}), "line 2: id"}, {head + row(map[string]string{"id": "x"}), "no name"},
		{head + row(map[string]string{"id": "x", "zh": "甲", "day": "20"}), "unit"}, {head + row(map[string]string{"id": "x", "zh": "甲", "unit": "pint"}), "unit"},
		{head + row(map[string]string{"id": "x", "zh": "甲", "unit": "mg", "day": "-1"}), "day"}, {head + row(map[string]string{"id": "x", "zh": "甲", "stopunder": "1.5"}), "stopunder"},
		{head + row(map[string]string{"id": "x", "zh": "甲", "pregnancy": "maybe"}), "pregnancy"}, {head + row(map[string]string{"id": "x", "zh": "甲", "unit": "mg", "usual": "5-1"}), "usual"},
		{head + row(map[string]string{"id": "x", "zh": "甲"}) + row(map[string]string{"id": "x", "zh": "乙"}), "line 3: x is in line 2"},
		{head + row(map[string]string{"id": "x", "zh": "\xff"}), "UTF-8"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v, want %q", c.text, err, c.want)
		}
	}
}
