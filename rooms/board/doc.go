// Package board is the whiteboard of a consultation: what its participants
// draw together, on blank or on a picture.
//
// The board is a list of strokes in the order in which the server accepted
// them. Drawing them in that order gives every user the same picture: a stroke
// is written once and never changed; its author can undo it, and clearing the
// board hides all earlier strokes. Unfinished strokes and pointers are signals,
// which are not stored.
package board
