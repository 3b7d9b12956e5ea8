package drug

import "slices"

// routes are the routes of administration. A drug acts where it is applied on the
// skin, in an eye or an ear; by the other routes it is absorbed. The limits of
// doses in the table are those of a drug that is swallowed or injected.
var routes = map[string]struct {
	name         Name
	local, apart bool
}{
	"oral": {name: Name{"口服", "by mouth"}}, "rectal": {name: Name{"直肠给药", "rectally"}},
	"sublingual": {name: Name{"舌下含服", "under the tongue"}}, "subcutaneous": {name: Name{"皮下注射", "subcutaneously"}},
	"intramuscular": {name: Name{"肌内注射", "intramuscularly"}}, "intravenous": {name: Name{"静脉给药", "intravenously"}},
	"topical": {name: Name{"外用", "on the skin"}, local: true, apart: true}, "eye": {name: Name{"滴眼", "in the eye"}, local: true, apart: true},
	"ear": {name: Name{"滴耳", "in the ear"}, local: true, apart: true}, "inhaled": {name: Name{"吸入", "by inhalation"}, apart: true},
	"nasal": {name: Name{"鼻用", "in the nose"}, apart: true}, "vaginal": {name: Name{"阴道给药", "vaginally"}, apart: true},
}

// route returns how a drug acts that an item gives by a route. If the table does
// not list the route for the drug, the item is warned of and checked in full: a
// route that was chosen by mistake must switch no check off.
func (c *check) route(at int, route string, d *Drug) (local, apart bool) {
	r, known := routes[route]
	if at < 0 || !known {
		return false, false
	}
	if len(d.Routes) > 0 && !slices.Contains(d.Routes, route) && !(route == "ear" && slices.Contains(d.Routes, "eye")) {
		c.warn(OtherRoute, Warn, []int{at}, fromLabel, "药品表中"+d.Name.Zh+"没有“"+r.name.Zh+"”的用法，已按全身用药检查",
			d.Name.En+" is not given "+r.name.En+" in the table; it was checked as if it were swallowed")
		return false, false
	}
	return r.local, r.apart
}
