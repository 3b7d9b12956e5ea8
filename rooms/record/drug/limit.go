package drug

import (
	"fmt"
	"strconv"
)

// doses compares what a patient gets of each substance, from all items together,
// with the limits.
func (c *check) doses() {
	seen := map[string]bool{}
	for _, u := range c.uses {
		if u.item < 0 || u.apart || u.within || seen[u.drug.ID] {
			continue
		}
		seen[u.drug.ID] = true
		if l := c.limit(u.drug); l.day > 0 || l.single > 0 {
			c.dose(u.drug, l)
		} else if d := u.drug; c.patient.AgeMonths >= 0 && c.patient.AgeMonths < teen && d.Day > 0 && d.StopUnder <= c.patient.AgeMonths {
			c.warn(DoseUnknown, Warn, []int{u.item}, fromLabel, "药品表中没有"+d.Name.Zh+"的儿童剂量，请核对", "no dose of "+d.Name.En+" for children is in the table; check it")
		}
	}
}

// limit is the highest dose for the patient, in the drug's unit; 0 is unknown.
type limit struct {
	single, day float64
	guessed     bool // from a weight that was not given
}

func (c *check) limit(d *Drug) limit {
	age, weight := c.patient.AgeMonths, c.patient.WeightKg
	if age < 0 || age >= adult || d.KgDay == 0 && age >= teen {
		return limit{single: d.Single, day: d.Day}
	}
	if d.KgDay == 0 {
		return limit{}
	}
	l := limit{}
	if weight <= 0 {
		weight, l.guessed = weightAtMost(age), true
	}
	l.day = d.KgDay * weight
	if d.Day > 0 {
		l.day = min(l.day, d.Day)
	}
	l.single = l.day
	if d.Single > 0 {
		l.single = min(l.day, d.Single)
	}
	return l
}

func (c *check) dose(d *Drug, l limit) {
	var items, blind []int
	day, single, often, whole := 0.0, 0.0, true, true
	for _, u := range c.uses {
		if u.item < 0 || u.apart || u.within || u.drug.ID != d.ID {
			continue
		}
		if !u.known {
			blind = append(blind, u.item)
			continue
		}
		items, whole = append(items, u.item), whole && u.whole
		single = max(single, u.once)
		if u.perDay > 0 {
			day += u.once * u.perDay
		} else {
			day, often = day+u.once, false // at least once
		}
	}
	if len(blind) > 0 && d.Unit != "" {
		c.warn(DoseUnknown, Info, blind, "", d.Name.Zh+"的剂量未能检查：请写明规格或以质量单位填写剂量",
			"the dose of "+d.Name.En+" could not be checked: state the strength, or the dose as a mass")
	}
	if len(items) == 0 {
		return
	}
	c.judge(d, l, items, day, single, often && whole)
}

// judge compares a dose with its limits. complete reports whether the dose of a
// day is known and is all in drugs that were meant for it: a low one is noticed.
func (c *check) judge(d *Drug, l limit, items []int, day, single float64, complete bool) {
	noteZh, noteEn := "", ""
	if l.guessed {
		noteZh, noteEn = "（未填体重，按年龄上限估算）", " (no weight is known; estimated from the age)"
	}
	over := 0.0
	if l.day > 0 {
		over = day / l.day
	}
	if l.single > 0 {
		over = max(over, single/l.single)
	}
	switch {
	case over > slack:
		severity := Warn
		if over >= gross {
			severity = Stop
		}
		c.warn(DoseHigh, severity, items, fromLabel,
			fmt.Sprintf("%s剂量过高：单次%s，每日%s；上限为单次%s，每日%s%s", d.Name.Zh, d.amount(single), d.amount(day), d.amount(l.single), d.amount(l.day), noteZh),
			fmt.Sprintf("the dose of %s is too high: %s at a time, %s a day; at most %s at a time, %s a day%s", d.Name.En, d.amount(single), d.amount(day), d.amount(l.single), d.amount(l.day), noteEn))
	case l.guessed:
		c.warn(DoseUnknown, Info, items, fromLabel, d.Name.Zh+"按体重计算剂量：请填写患儿体重后再核对", "the dose of "+d.Name.En+" depends on the weight: enter the child's weight to check it")
	case complete && (c.patient.AgeMonths < 0 || c.patient.AgeMonths >= adult) && d.Low > 0 && day < d.Low/4:
		c.warn(DoseLow, Info, items, fromLabel, fmt.Sprintf("%s剂量偏低：每日%s，常用每日%s～%s", d.Name.Zh, d.amount(day), d.amount(d.Low), d.amount(d.High)),
			fmt.Sprintf("the dose of %s is low: %s a day; usual are %s to %s", d.Name.En, d.amount(day), d.amount(d.Low), d.amount(d.High)))
	case complete && c.patient.AgeMonths >= 0 && c.patient.AgeMonths < adult && d.KgDay > 0 && day < l.day/10:
		c.warn(DoseLow, Info, items, fromLabel, fmt.Sprintf("%s剂量偏低：每日%s，上限每日%s", d.Name.Zh, d.amount(day), d.amount(l.day)),
			fmt.Sprintf("the dose of %s is low: %s a day; the highest is %s", d.Name.En, d.amount(day), d.amount(l.day)))
	}
}

// amount is a dose in digits with its unit: "1.5 g", "250 mg".
func (d *Drug) amount(n float64) string {
	if n == 0 {
		return "–"
	}
	unit := d.Unit
	switch {
	case unit == "mg" && n >= 1000:
		n, unit = n/1000, "g"
	case unit == "ug":
		unit = "µg"
	}
	digits := 3
	if n >= 1000 {
		digits = len(strconv.Itoa(int(n)))
	}
	s := strconv.FormatFloat(n, 'g', digits, 64)
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		s = strconv.FormatFloat(f, 'f', -1, 64)
	}
	return s + " " + unit
}
