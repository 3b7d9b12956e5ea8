//go:build !race

package cost

// Slow is by how much the race detector slows down what is measured.
const Slow = 1
