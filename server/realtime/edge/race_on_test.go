//go:build race

package edge

// raceDetector says that the tests run under it. The library as shipped isn't
// started then: its races are not what is looked for.
const raceDetector = true
