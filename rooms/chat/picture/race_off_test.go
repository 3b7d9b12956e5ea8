//go:build !race

package picture

// slow is by how much the race detector slows down what is measured.
const slow = 1
