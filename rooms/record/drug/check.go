package drug

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is how grave a warning is.
type Severity string

// The severities: a prescription with a stop cannot be signed, a warning must be
// acknowledged with a reason, and information is shown.
const (
	Stop Severity = "stop"
	Warn Severity = "warn"
	Info Severity = "info"
)

// WarningCode is what a warning is about.
type WarningCode string

// The codes.
const (
	Allergy     WarningCode = "allergy"
	Duplicate   WarningCode = "duplicate"
	Interaction WarningCode = "interaction"
	DoseHigh    WarningCode = "dose_high"
	DoseLow     WarningCode = "dose_low"
	DoseUnknown WarningCode = "dose_unknown" // it could not be checked
	Age         WarningCode = "age"
	Pregnancy   WarningCode = "pregnancy"
	Controlled  WarningCode = "controlled"
	OtherRoute  WarningCode = "route" // the drug is not given by this route
	Unknown     WarningCode = "unknown_drug"
)

// Codes returns all codes.
func Codes() []WarningCode {
	return []WarningCode{Allergy, Duplicate, Interaction, DoseHigh, DoseLow, DoseUnknown, Age, Pregnancy, Controlled, OtherRoute, Unknown}
}

// Warning is what a check found.
type Warning struct {
	Code     WarningCode `json:"code"`
	Severity Severity    `json:"severity"`
	Items    []int       `json:"items"` // indexes in the prescription
	// Message and MessageZh say it in English and in Chinese.
	Message   string `json:"message"`
	MessageZh string `json:"messageZh"`
	Source    string `json:"source"`
}

// Item is a drug that is prescribed.
type Item struct {
	Drug     string  // as the doctor wrote it
	Strength string  // "250 mg × 24"
	Dose     float64 // of Unit, at one time
	Unit     string
	Route    string  // as in the table; "" is unknown
	PerDay   float64 // how often in a day, on the average; 0 if unknown, as with prn
}

// Sensitivity is an allergy of the patient's record.
type Sensitivity struct {
	Substance string
	Severity  string // as in the record
}

// Patient is what the checks need of a patient.
type Patient struct {
	AgeMonths   int // -1 if unknown
	Female      bool
	WeightKg    float64 // 0 if unknown
	Pregnancy   string  // none, pregnant, lactating, unknown or empty
	Weeks       int     // of the pregnancy; 0 if unknown
	Allergies   []Sensitivity
	Medications []string // what the patient takes besides
}

const (
	adult = 216 // months
	teen  = 144
	// gross is how many times the highest dose cannot be meant: errors of units
	// and of the decimal point are larger.
	gross = 4
	// slack allows for rounded amounts.
	slack = 1.02

	fromLabel = "product labels (docs/drugs.md)"
	fromDDI   = "ONC high-priority interactions; product labels (docs/drugs.md)"
	fromLaw   = "互联网诊疗监管细则（试行）(2022)"
)

// use is one substance that an item, or a medication, brings in.
type use struct {
	item   int // index, or -1 for what the patient takes already
	drug   *Drug
	text   string // as it was written
	local  bool   // it acts where it is applied
	apart  bool   // the limits of doses are those of other routes
	perDay float64
	once   float64 // in the drug's unit
	known  bool
	whole  bool // the product itself, not a part of it
	within bool // a part of a product that has limits and classes of its own
}

// check is one run of Check.
type check struct {
	table    *Table
	patient  Patient
	refuse   bool // controlled drugs, and those that need a visit
	uses     []use
	warnings []Warning
	// sensitive are the patient's allergies, looked up once.
	sensitive []reaction
}

// reaction is an allergy, with the drugs and classes that it concerns.
type reaction struct {
	Sensitivity
	ids           []string
	direct, cross []string // classes
	group         Name
}

// Check returns what is to be said of a prescription, the gravest first. refuse
// reports whether controlled drugs, and those that need a visit, are refused, as
// policy china does.
func (t *Table) Check(items []Item, p Patient, refuse bool) []Warning {
	c := &check{table: t, patient: p, refuse: refuse, warnings: []Warning{}}
	for i, item := range items {
		c.take(i, item)
	}
	for _, text := range p.Medications {
		c.take(-1, Item{Drug: text})
	}
	for _, s := range p.Allergies {
		a := reaction{Sensitivity: s, ids: t.find(s.Substance).ids}
		a.direct, a.cross, a.group = c.allergenClasses(s.Substance, a.ids)
		c.sensitive = append(c.sensitive, a)
	}
	for i, item := range items {
		c.allergies(i, item)
		c.controlled(i)
		c.limits(i)
	}
	c.pairs()
	c.doses()
	rank := map[Severity]int{Stop: 0, Warn: 1, Info: 2}
	slices.SortStableFunc(c.warnings, func(a, b Warning) int { return rank[a.Severity] - rank[b.Severity] })
	return c.warnings
}

func (c *check) warn(code WarningCode, severity Severity, items []int, source, zh, en string) {
	items = slices.DeleteFunc(slices.Clone(items), func(i int) bool { return i < 0 })
	slices.Sort(items)
	w := Warning{Code: code, Severity: severity, Items: slices.Compact(items), Message: en, MessageZh: zh, Source: source}
	for _, before := range c.warnings {
		if before.Code == w.Code && before.Message == w.Message && slices.Equal(before.Items, w.Items) {
			return
		}
	}
	c.warnings = append(c.warnings, w)
}

// take finds the substances of an item.
func (c *check) take(at int, item Item) {
	f := c.table.find(item.Drug)
	once := item.once()
	for _, id := range f.ids {
		d := c.table.drugs[id]
		local, apart := c.route(at, item.Route, d)
		v := use{item: at, drug: d, text: item.Drug, local: local, apart: apart, perDay: item.PerDay, whole: true}
		v.once, v.known = once.of(d)
		v.known = v.known && at >= 0
		c.uses = append(c.uses, v)
		for _, p := range d.Parts {
			part := c.table.drugs[p.ID]
			if part == nil || slices.Contains(f.ids, p.ID) {
				continue
			}
			u := use{item: at, drug: part, text: item.Drug, local: local, apart: apart, perDay: item.PerDay, within: p.Amount == 0}
			if at >= 0 && p.Amount > 0 && once.counted {
				u.once, u.known = once.pieces*p.Amount, true
			}
			c.uses = append(c.uses, u)
		}
	}
	if at < 0 {
		return
	}
	for _, word := range f.unknown {
		c.warn(Unknown, Info, []int{at}, "", fmt.Sprintf("“%s”不在药品表中，未做任何检查", word), fmt.Sprintf("%q is in no table: nothing was checked for it", word))
	}
	if len(f.ids) == 0 && len(f.unknown) == 0 {
		c.warn(Unknown, Info, []int{at}, "", fmt.Sprintf("“%s”不在药品表中，未做任何检查", item.Drug), fmt.Sprintf("%q is in no table: nothing was checked for it", item.Drug))
	}
}

// of returns the uses of an item.
func (c *check) of(item int) []use {
	var list []use
	for _, u := range c.uses {
		if u.item == item {
			list = append(list, u)
		}
	}
	return list
}

// allergies compares an item with the allergies of the record.
func (c *check) allergies(at int, item Item) {
	if len(c.patient.Allergies) > 0 && len(c.of(at)) == 0 {
		c.warn(Allergy, Warn, []int{at}, "", fmt.Sprintf("患者有过敏史，“%s”不在药品表中，请核对是否过敏", item.Drug),
			fmt.Sprintf("the patient has allergies, and %q is in no table: check that it causes none", item.Drug))
	}
	uses := c.of(at)
	for _, a := range c.sensitive {
		for _, u := range uses {
			switch {
			case slices.Contains(a.ids, u.drug.ID) || meets(u.drug.Classes, a.direct):
				c.warn(Allergy, Warn, []int{at}, "", fmt.Sprintf("患者对“%s”过敏%s，%s属于此类", a.Substance, graveZh(a.Severity), u.drug.Name.Zh),
					fmt.Sprintf("the patient is allergic to %s%s; %s is of that group", a.Substance, graveEn(a.Severity), u.drug.Name.En))
			case meets(u.drug.Classes, a.cross):
				c.warn(Allergy, Warn, []int{at}, "", fmt.Sprintf("患者对“%s”（%s）过敏，%s可能交叉过敏", a.Substance, a.group.Zh, u.drug.Name.Zh),
					fmt.Sprintf("the patient is allergic to %s (%s); %s may cause a reaction too", a.Substance, a.group.En, u.drug.Name.En))
			}
		}
		if same(item.Drug, a.Substance) {
			c.warn(Allergy, Warn, []int{at}, "", fmt.Sprintf("患者对“%s”过敏%s", a.Substance, graveZh(a.Severity)),
				fmt.Sprintf("the patient is allergic to %s%s", a.Substance, graveEn(a.Severity)))
		}
	}
}

// allergenClasses returns the classes that an allergy concerns: directly, and by
// cross reaction, with the name of the group.
func (c *check) allergenClasses(substance string, ids []string) (direct, cross []string, group Name) {
	text := fold(substance)
	var classes []string
	for _, id := range ids {
		classes = append(classes, c.table.drugs[id].Classes...)
		for _, p := range c.table.drugs[id].Parts {
			if part := c.table.drugs[p.ID]; part != nil {
				classes = append(classes, part.Classes...)
			}
		}
	}
	for _, g := range allergens() {
		named := meets(classes, g.classes)
		for _, alias := range g.aliases {
			alias = fold(alias)
			named = named || (name{text: alias, han: isHan(alias)}).in(text) >= 0
		}
		if named {
			direct, cross, group = append(direct, g.classes...), append(cross, g.cross...), g.name
		}
	}
	return direct, cross, group
}

// same reports whether one text contains the other, for drugs and allergies that
// are in no table.
func same(drug, substance string) bool {
	d, s := strings.ReplaceAll(fold(drug), " ", ""), strings.ReplaceAll(fold(substance), " ", "")
	if len(d) < 4 || len(s) < 4 {
		return d == s && d != ""
	}
	return strings.Contains(d, s) || strings.Contains(s, d)
}

func graveZh(severity string) string {
	if severity == "severe" {
		return "（严重）"
	}
	return ""
}

func graveEn(severity string) string {
	if severity == "severe" {
		return " (severe)"
	}
	return ""
}

func meets(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// controlled notices drugs that the law controls, or that need a visit.
func (c *check) controlled(at int) {
	severity, zhEnd, enEnd := Warn, "", ""
	if c.refuse {
		severity, zhEnd, enEnd = Stop, "，不得在互联网上开具", "; it must not be prescribed online"
	}
	kinds := map[string]Name{"narcotic": {"麻醉药品", "a narcotic drug"}, "psychotropic1": {"第一类精神药品", "a psychotropic drug of class 1"},
		"psychotropic2": {"第二类精神药品", "a psychotropic drug of class 2"}}
	for _, u := range c.of(at) {
		if !u.whole {
			continue // the product is controlled or is not
		}
		if kind, ok := kinds[u.drug.Controlled]; ok {
			c.warn(Controlled, severity, []int{at}, fromLaw, u.drug.Name.Zh+"是"+kind.Zh+zhEnd, u.drug.Name.En+" is "+kind.En+enEnd)
		}
		if u.drug.Visit && !u.local {
			c.warn(Controlled, severity, []int{at}, fromLabel, u.drug.Name.Zh+"须面诊后使用"+zhEnd, u.drug.Name.En+" is used only where the patient is seen"+enEnd)
		}
	}
}

// limits checks age, pregnancy and lactation.
func (c *check) limits(at int) {
	p := c.patient
	for _, u := range c.of(at) {
		d := u.drug
		if u.within {
			continue
		}
		if !u.local {
			c.age(at, d)
		}
		if u.local && d.Pregnancy != "never" {
			continue
		}
		zh, en := d.Name.Zh, d.Name.En
		switch {
		case p.Pregnancy == "pregnant" && d.Pregnancy == "never":
			c.warn(Pregnancy, Stop, []int{at}, fromLabel, "孕妇禁用"+zh, en+" must not be taken in pregnancy")
		case p.Pregnancy == "pregnant" && (d.Pregnancy == "avoid" || d.Pregnancy == "late" && (p.Weeks == 0 || p.Weeks >= 20)):
			c.warn(Pregnancy, Warn, []int{at}, fromLabel, "孕妇应避免使用"+zh, "avoid "+en+" in pregnancy")
		case p.Pregnancy == "pregnant" && d.Pregnancy != "":
			c.warn(Pregnancy, Info, []int{at}, fromLabel, "孕妇慎用"+zh, en+" only with caution in pregnancy")
		case p.Pregnancy == "lactating" && d.Lactation == "avoid":
			c.warn(Pregnancy, Warn, []int{at}, fromLabel, "哺乳期应避免使用"+zh, "avoid "+en+" while breastfeeding")
		case p.Pregnancy == "lactating" && d.Lactation != "":
			c.warn(Pregnancy, Info, []int{at}, fromLabel, "哺乳期慎用"+zh, en+" only with caution while breastfeeding")
		case d.Pregnancy == "never" && p.Female && p.Pregnancy != "none" && p.Pregnancy != "lactating" && p.AgeMonths >= teen && p.AgeMonths < 55*12:
			c.warn(Pregnancy, Warn, []int{at}, fromLabel, "使用"+zh+"前须排除妊娠", "exclude a pregnancy before "+en)
		}
	}
}

func (c *check) age(at int, d *Drug) {
	age := c.patient.AgeMonths
	switch {
	case d.StopUnder == 0 && d.WarnUnder == 0:
	case age < 0:
		c.warn(Age, Info, []int{at}, fromLabel, "缺少出生日期，未检查"+d.Name.Zh+"的年龄限制", "no birth date: the age limits of "+d.Name.En+" were not checked")
	case age < d.StopUnder:
		zh, en := span(d.StopUnder)
		c.warn(Age, Stop, []int{at}, fromLabel, zh+"以下禁用"+d.Name.Zh, d.Name.En+" must not be taken under "+en)
	case age < d.WarnUnder:
		zh, en := span(d.WarnUnder)
		c.warn(Age, Warn, []int{at}, fromLabel, d.Name.Zh+"不推荐用于"+zh+"以下", d.Name.En+" is not recommended under "+en)
	}
}

// span is an age as a text: 6个月, "6 months".
func span(months int) (zh, en string) {
	switch {
	case months%12 != 0 || months < 24:
		en = fmt.Sprintf("%d months", months)
		if months == 1 {
			en = "1 month"
		}
		return fmt.Sprintf("%d个月", months), en
	default:
		return fmt.Sprintf("%d岁", months/12), fmt.Sprintf("%d years", months/12)
	}
}

// pairs looks for the same substance twice, and for interactions, among what is
// prescribed and what the patient takes.
func (c *check) pairs() {
	for i, a := range c.uses {
		for _, b := range c.uses[i+1:] {
			if a.item == b.item || a.local || b.local {
				continue // of one product, or not in the blood
			}
			items := []int{a.item, b.item}
			if a.drug.ID == b.drug.ID {
				zh, en := "重复用药："+a.drug.Name.Zh, "the same substance twice: "+a.drug.Name.En
				if b.item < 0 {
					zh, en = zh+"（患者正在使用“"+b.text+"”）", en+" (the patient takes "+b.text+")"
				}
				c.warn(Duplicate, Warn, items, "", zh, en)
				continue
			}
			if !a.within && !b.within {
				c.interaction(a, b, items)
			}
		}
	}
}

// interaction reports the gravest rule about two drugs.
func (c *check) interaction(a, b use, items []int) {
	var worst *interaction
	rank := map[Severity]int{Stop: 0, Warn: 1, Info: 2}
	for _, rule := range interactions() {
		if (rule.about(rule.a, a.drug) && rule.about(rule.b, b.drug) || rule.about(rule.a, b.drug) && rule.about(rule.b, a.drug)) &&
			(worst == nil || rank[rule.severity] < rank[worst.severity]) {
			worst = &rule
		}
	}
	if worst == nil {
		return
	}
	zh, en := a.drug.Name.Zh+"与"+b.drug.Name.Zh+"："+worst.effect.Zh, a.drug.Name.En+" and "+b.drug.Name.En+": "+worst.effect.En
	if b.item < 0 {
		zh, en = zh+"（患者正在使用“"+b.text+"”）", en+" (the patient takes "+b.text+")"
	}
	c.warn(Interaction, worst.severity, items, fromDDI, zh, en)
}

func (interaction) about(side string, d *Drug) bool {
	return d.ID == side || slices.Contains(d.Classes, side)
}
