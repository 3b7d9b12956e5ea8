package rooms

import (
	"encoding/base64"
	"encoding/json"
)

// PageSize is limit brought into 1..most, or usual where none was asked for.
func PageSize(limit, usual, most int) (int, error) {
	switch {
	case limit == 0:
		return usual, nil
	case limit < 0 || limit > most:
		return 0, Invalid("limit", "limit must be 1 to %d", most)
	}
	return limit, nil
}

// Cursor is where a page of a list ended: the sort key of its last row. On
// the wire it is opaque.
type Cursor struct {
	Key string `json:"k,omitempty"`
	Num int64  `json:"n,omitempty"`
	ID  string `json:"i,omitempty"`
}

// Encode makes the cursor opaque.
func (c Cursor) Encode() string {
	b, _ := json.Marshal(c) // strings and a number always encode
	return base64.RawURLEncoding.EncodeToString(b)
}

// cursorMost is how long an encoded cursor may be. Its text and its id have at
// most 100 characters each.
const cursorMost = 2000

// ParseCursor reads a cursor; nil for "", an *Error on field cursor for
// anything that Encode did not make.
func ParseCursor(s string) (*Cursor, error) {
	if s == "" {
		return nil, nil
	}
	if len(s) > cursorMost {
		return nil, Invalid("cursor", "the cursor is not one of ours")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, Invalid("cursor", "the cursor is not one of ours")
	}
	var c Cursor
	if err := decode(b, &c); err != nil {
		return nil, Invalid("cursor", "the cursor is not one of ours")
	}
	return &c, nil
}

// CutPage cuts one row more than was wanted off a list, and names where the
// next page begins: the usual way to know whether there is one.
func CutPage[T any](items []T, limit int, key func(T) Cursor) ([]T, string) {
	if len(items) <= limit {
		if items == nil {
			items = []T{}
		}
		return items, ""
	}
	items = items[:limit]
	return items, key(items[limit-1]).Encode()
}
