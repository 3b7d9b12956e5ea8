package record

import (
	"strings"
	"unicode"
)

// Warning says that a patient is allergic to something that is prescribed.
type Warning struct {
	Item      int    `json:"item"` // index in the prescription
	Drug      string `json:"drug"`
	Substance string `json:"substance"` // as the record has it
	Severity  string `json:"severity,omitempty"`
	Reaction  string `json:"reaction,omitempty"`
}

// substances are names, in both languages, of the same substance or of one
// whose allergy is shared: common knowledge, and no substitute for a drug
// database. The first of a line is the allergen; a drug of the line warns who
// is allergic to any of it.
var substances = [][]string{
	{"penicillin", "青霉素", "amoxicillin", "阿莫西林", "ampicillin", "氨苄西林", "piperacillin", "哌拉西林", "oxacillin", "苯唑西林", "amoxil", "augmentin"},
	{"cephalosporin", "头孢", "cefalexin", "cephalexin", "cefuroxime", "cefaclor", "cefixime", "ceftriaxone", "cefdinir", "cefotaxime"},
	{"sulfonamide", "磺胺", "sulfa", "sulfamethoxazole", "sulfadiazine", "sulfasalazine", "柳氮磺吡啶"},
	{"aspirin", "阿司匹林", "acetylsalicylic", "乙酰水杨酸"},
	{"ibuprofen", "布洛芬"},
	{"paracetamol", "对乙酰氨基酚", "acetaminophen", "扑热息痛", "tylenol", "泰诺"},
	{"diclofenac", "双氯芬酸"},
	{"azithromycin", "阿奇霉素", "erythromycin", "红霉素", "clarithromycin", "克拉霉素", "roxithromycin", "罗红霉素", "macrolide", "大环内酯"},
	{"levofloxacin", "左氧氟沙星", "ofloxacin", "氧氟沙星", "ciprofloxacin", "环丙沙星", "moxifloxacin", "莫西沙星", "quinolone", "喹诺酮"},
	{"tetracycline", "四环素", "doxycycline", "多西环素", "minocycline", "米诺环素"},
	{"gentamicin", "庆大霉素", "streptomycin", "链霉素", "amikacin", "阿米卡星"},
	{"metronidazole", "甲硝唑", "tinidazole", "替硝唑"},
	{"codeine", "可待因", "morphine", "吗啡", "opioid"},
	{"lidocaine", "利多卡因"},
	{"insulin", "胰岛素"},
	{"iodine", "碘", "povidone"},
}

// warnings are the allergies that concern what is prescribed.
func warnings(items []Item, allergies []Allergy) []Warning {
	var list []Warning
	for i, item := range items {
		for _, a := range allergies {
			if sameSubstance(item.Drug, a.Substance) {
				list = append(list, Warning{Item: i, Drug: item.Drug, Substance: a.Substance, Severity: a.Severity, Reaction: a.Reaction})
			}
		}
	}
	return list
}

// sameSubstance reports whether one of the names contains the other, or both
// belong to one line of substances.
func sameSubstance(drug, allergen string) bool {
	d, a := normalized(drug), normalized(allergen)
	if len(d) < 2 || len(a) < 2 {
		return d == a
	}
	if strings.Contains(d, a) || strings.Contains(a, d) {
		return true
	}
	for _, line := range substances {
		if inLine(line, d) && inLine(line, a) {
			return true
		}
	}
	return false
}

func inLine(line []string, name string) bool {
	for _, s := range line {
		if strings.Contains(name, s) {
			return true
		}
	}
	return false
}

// normalized is a name in lower case without what is no letter.
func normalized(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
