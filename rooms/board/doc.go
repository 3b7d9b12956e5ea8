// Package board is the whiteboard of a consultation: what its participants
// draw together, on blank or on a picture.
//
// The board is a list of strokes in the order in which the server took them.
// Whoever draws them in that order sees the same picture: a stroke is written
// once and never changed; it can be undone by its author, and clearing the
// board lets go of all that came before. Strokes in the making and pointers
// are signals, worth nothing late.
package board
