// Package picture finds the size of a picture and makes a thumbnail of it, at
// a cost that does not depend on what is in the file.
//
// What decoding would cost is read from the file's own headers first (plan.go
// and the file of each format): the memory that Go's decoder will allocate for
// it, and of a JPEG the scans, each of which visits every block again however
// few bytes it has. A picture beyond the limits is not decoded, and neither is
// one whose cost its headers do not say, such as a lossless WebP. While one is
// decoded, the decoder gets its input in small pieces, and none after the time
// is up or the caller has gone.
package picture
