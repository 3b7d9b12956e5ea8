package drug

import (
	_ "embed"
	"encoding/csv"
	"strings"
	"sync"
)

//go:embed interactions.csv
var interactionRows string

//go:embed allergies.csv
var allergyRows string

// interaction is a rule about two drugs, or classes of them.
type interaction struct {
	a, b     string
	severity Severity
	effect   Name
}

// allergen is a group of drugs that share an allergy.
type allergen struct {
	name    Name
	aliases []string
	classes []string
	cross   []string // classes that may react too
}

// interactions are the rules that are shipped.
var interactions = sync.OnceValue(func() []interaction {
	var list []interaction
	for _, r := range records(interactionRows) {
		list = append(list, interaction{a: r["a"], b: r["b"], severity: Severity(r["severity"]), effect: Name{Zh: r["zh"], En: r["en"]}})
	}
	return list
})

// allergens are the groups that are shipped.
var allergens = sync.OnceValue(func() []allergen {
	var list []allergen
	for _, r := range records(allergyRows) {
		list = append(list, allergen{name: Name{Zh: r["zh"], En: r["en"]}, aliases: split(r["aliases"]), classes: split(r["classes"]), cross: split(r["cross"])})
	}
	return list
})

// records reads an embedded table.
func records(text string) []map[string]string {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic("drug: a table that is shipped is broken: " + err.Error())
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		r := map[string]string{}
		for i, name := range rows[0] {
			r[name] = row[i]
		}
		list = append(list, r)
	}
	return list
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ";")
}
