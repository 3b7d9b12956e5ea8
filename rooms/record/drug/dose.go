package drug

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// units has the size of units of mass in milligrams, and of international units.
var units = map[string]struct {
	mass bool
	size float64
}{
	"mg": {true, 1}, "毫克": {true, 1}, "g": {true, 1000}, "克": {true, 1000}, "kg": {true, 1e6},
	"ug": {true, 0.001}, "µg": {true, 0.001}, "μg": {true, 0.001}, "mcg": {true, 0.001}, "微克": {true, 0.001},
	"iu": {false, 1}, "u": {false, 1}, "单位": {false, 1}, "国际单位": {false, 1}, "万单位": {false, 10_000}, "万iu": {false, 10_000}, "万u": {false, 10_000},
}

// millilitres has the size of units of volume in millilitres.
var millilitres = map[string]float64{"ml": 1, "毫升": 1, "cc": 1, "l": 1000, "滴": 0.05, "drop": 0.05, "drops": 0.05}

const (
	plain  = `(\d+(?:\.\d+)?)`
	number = `(?:^|[^\d.e])` + plain // not the end of a longer one, such as 1e3
	mass   = `(mg|毫克|µg|μg|ug|mcg|微克|g|克|万单位|万iu|万u|iu|国际单位|单位|u)`
	volume = `(ml|毫升)`
)

var (
	massInVolume = regexp.MustCompile(number + `\s*` + mass + `\s*(?:/|:|每|per|in)\s*(\d+(?:\.\d+)?)?\s*` + volume)
	volumeOfMass = regexp.MustCompile(number + `\s*` + volume + `\s*(?::|/|含)\s*` + plain + `\s*` + mass)
	massAlone    = regexp.MustCompile(number + `\s*` + mass)
)

// content is what a piece, and a millilitre, of a product holds of a drug, in
// milligrams or international units. 0 is unknown.
type content struct {
	piece, millilitre float64
	mass              bool
}

// contentOf reads a strength: "250 mg × 24", "0.1g/5ml", "15ml:1.5g", also with
// full-width characters. A number of another form, such as 1e3, is not guessed.
func contentOf(strength string) content {
	s := strings.ToLower(strings.ReplaceAll(norm.NFKC.String(strength), ",", ""))
	amount := func(n, unit string) (float64, bool) {
		f, err := strconv.ParseFloat(n, 64)
		if err != nil {
			return 0, false
		}
		return f * units[unit].size, units[unit].mass
	}
	if m := volumeOfMass.FindStringSubmatch(s); m != nil {
		total, isMass := amount(m[3], m[4])
		if ml, err := strconv.ParseFloat(m[1], 64); err == nil && ml > 0 {
			return content{piece: total, millilitre: total / ml, mass: isMass}
		}
	}
	if m := massInVolume.FindStringSubmatch(s); m != nil {
		total, isMass := amount(m[1], m[2])
		ml := 1.0
		if m[3] != "" {
			ml, _ = strconv.ParseFloat(m[3], 64)
		}
		if ml > 0 {
			c := content{millilitre: total / ml, mass: isMass}
			if m[3] != "" {
				c.piece = total
			}
			return c
		}
	}
	if m := massAlone.FindStringSubmatch(s); m != nil {
		total, isMass := amount(m[1], m[2])
		return content{piece: total, mass: isMass}
	}
	return content{}
}

// amounts are what an item gives at one time, as far as it is known.
type amounts struct {
	mass    float64 // in mg
	iu      float64
	pieces  float64 // or millilitres: what a product counts
	known   bool    // mass or iu
	counted bool    // pieces
}

// once returns what an item gives at one time.
func (v Item) once() amounts {
	unit := strings.ToLower(strings.TrimSpace(v.Unit))
	if u, ok := units[unit]; ok {
		if u.mass {
			return amounts{mass: v.Dose * u.size, known: true}
		}
		return amounts{iu: v.Dose * u.size, known: true}
	}
	c := contentOf(v.Strength)
	a := amounts{pieces: v.Dose, counted: true}
	per := c.piece
	if ml, ok := millilitres[unit]; ok {
		a.pieces, per = v.Dose*ml, c.millilitre
	}
	if per > 0 {
		a.known = true
		if c.mass {
			a.mass = a.pieces * per
		} else {
			a.iu = a.pieces * per
		}
	}
	return a
}

// of returns what an item gives of a drug at one time, in the drug's unit.
func (a amounts) of(d *Drug) (float64, bool) {
	switch {
	case !a.known:
		return 0, false
	case d.Unit == "IU":
		return a.iu, a.iu > 0
	case d.Unit == "g":
		return a.mass / 1000, a.mass > 0
	case d.Unit == "ug":
		return a.mass * 1000, a.mass > 0
	case d.Unit == "mg":
		return a.mass, a.mass > 0
	}
	return 0, false
}

// weightAtMost returns a weight in kilograms that few children of an age exceed,
// and 0 from 18 years on.
func weightAtMost(months int) float64 {
	if months >= 216 {
		return 0
	}
	table := []struct{ months, kg float64 }{
		{0, 4.4}, {1, 5.8}, {2, 7.1}, {3, 8.0}, {6, 9.8}, {9, 11.0}, {12, 12.0}, {18, 13.7}, {24, 15.3}, {36, 18.3}, {48, 21.2}, {60, 24.2},
		{72, 27.1}, {84, 30.7}, {96, 34.7}, {108, 39.4}, {120, 45.0}, {144, 58.0}, {216, 80.0},
	}
	for i := 1; i < len(table); i++ {
		if a, b := table[i-1], table[i]; float64(months) <= b.months {
			return a.kg + (b.kg-a.kg)*(float64(months)-a.months)/(b.months-a.months)
		}
	}
	return 0
}
