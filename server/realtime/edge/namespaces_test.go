package edge

import "testing"

// A client that connects to the missing main namespace gets an error with the
// names of the namespaces.
func TestNoMainNamespace(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	s.Namespace("/lobby", handler{})
	s.Namespace("/admin", handler{})
	for name, want := range map[string]string{
		"/":        `{"message":"Invalid namespace: name one of /admin, /lobby"}`,
		"/nowhere": `{"message":"Invalid namespace"}`,
	} {
		if got := s.noSuchNamespace(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
