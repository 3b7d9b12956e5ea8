package main

import (
	"fmt"
	"html"
	"strings"
)

func plotName(t table) string {
	keep := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ',':
			return -1
		}
		return '-'
	}
	return strings.Trim(strings.Map(keep, strings.ToLower(t.Name)), "-") + ".svg"
}

// plot returns a bar chart of a table as SVG.
func plot(t table) string {
	const left, width, height, gap = 140, 360, 20, 8
	value, unit, better := func(r row) float64 { return r.CPU }, "µs CPU", "less"
	switch t.Figure {
	case "rate":
		value, unit, better = func(r row) float64 { return r.Rate }, "per second", "more"
	case "memory":
		value, unit = func(r row) float64 { return r.KB }, "KB per connection"
	}
	most := 0.0
	for _, r := range t.Rows {
		most = max(most, value(r))
	}
	var b strings.Builder
	total := 40 + len(t.Rows)*(height+gap)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" `+
		`font-family="sans-serif" font-size="12" role="img">`+"\n", left+width+120, total)
	fmt.Fprintf(&b, `<title>%s: %s, %s is better</title>`+"\n", html.EscapeString(t.Name), unit, better)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n"+
		`<text x="8" y="18" font-weight="bold">%s: %s (%s is better)</text>`+"\n", html.EscapeString(t.Name), unit, better)
	for i, r := range t.Rows {
		y := 32 + i*(height+gap)
		length := 0.0
		if most > 0 {
			length = value(r) / most * width
		}
		color := "#9aa5b1"
		if r.Peer == "edge" || strings.HasPrefix(r.Peer, "wenzhen") {
			color = "#0f766e"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/>`+
			`<text x="%.1f" y="%d">%s</text>`+"\n",
			left-8, y+14, html.EscapeString(r.Peer), left, y, length, height, color, left+length+6, y+14, short(value(r)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func short(v float64) string {
	switch {
	case v == 0:
		return "–"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 1000:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
