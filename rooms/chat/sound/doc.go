// Package sound tells by its container whether a file is a recording, sound
// and nothing else, and how long it plays. It decodes nothing: the containers
// that browsers record into (WebM, Ogg, MP4) say both outside of the sound.
package sound
