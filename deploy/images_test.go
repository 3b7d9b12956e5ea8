package deploy

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// checked is when images.tsv was compared with its sources.
var checked = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// Every image that is named gets security fixes for a while yet. deploy/pin
// compares with the date of the day.
func TestImagesAreSupported(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("images.tsv")
	if err != nil {
		t.Fatal(err)
	}
	until := map[string]string{}
	for line := range strings.Lines(string(table)) {
		row := strings.Split(strings.TrimSpace(line), "\t")
		if len(row) != 4 || !strings.HasPrefix(row[3], "https://") {
			t.Fatalf("images.tsv has %q", line)
		}
		until[row[0]+":"+row[1]] = row[2]
	}
	for image := range pinnedImages(t, ".") {
		version := regexp.MustCompile(`^[a-z]+:[0-9]+(\.[0-9]+)?`).FindString(image)
		end, ok := until[version]
		if !ok {
			version, _, _ = strings.Cut(version, ".")
			end, ok = until[version]
		}
		switch day, err := time.Parse(time.DateOnly, end); {
		case !ok:
			t.Errorf("images.tsv does not say until when %s is supported", image)
		case end != "-" && (err != nil || !day.After(checked)):
			t.Errorf("%s is supported until %s, %v", image, end, err)
		}
	}
}

// pinnedImages are the images that the files of a folder name by version and
// digest, and the digests.
func pinnedImages(t *testing.T, dir string) map[string]string {
	t.Helper()
	images := map[string]string{}
	for _, file := range []string{"Dockerfile", "compose.yaml", "kubernetes/wenzhen.yaml"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b([a-z]+:[0-9][0-9a-z.-]*)@sha256:([0-9a-f]{64})\b`).FindAllStringSubmatch(string(content), -1) {
			images[m[1]] = m[2]
		}
	}
	if len(images) != 5 {
		t.Errorf("the images are %v", images)
	}
	return images
}

// pin runs deploy/pin in a copy of the folder, beside a docker that answers with
// a digest of threes, but not for what is refused. It returns the images that the
// copy names then.
func pin(t *testing.T, refused string, args ...string) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pin", "images.tsv", "Dockerfile", "compose.yaml", "kubernetes/wenzhen.yaml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "deploy", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fake, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	// By sh: a file that was just written cannot be executed while the child of
	// another test has it open (ETXTBSY).
	cmd := exec.Command("sh", append([]string{filepath.Join(dir, "deploy", "pin")}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+fake+":"+os.Getenv("PATH"), "REFUSED="+refused, "DIGEST="+strings.Repeat("3", 64))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return pinnedImages(t, filepath.Join(dir, "deploy")), err
}

// The digests of all images, or the version and digest of one, are renewed in
// every file that names them; after a failure nothing is.
func TestPinRenewsDigests(t *testing.T) {
	t.Parallel()
	before := pinnedImages(t, ".")
	all, err := pin(t, "none")
	if err != nil {
		t.Fatal(err)
	}
	for image := range before {
		if all[image] != strings.Repeat("3", 64) {
			t.Errorf("%s has the digest %s", image, all[image])
		}
	}
	one, err := pin(t, "none", "postgres:17.99")
	if err != nil || one["postgres:17.99"] != strings.Repeat("3", 64) || one["postgres:17.11"] != "" {
		t.Errorf("another version: %v, %v", one, err)
	}
	for name, c := range map[string]struct {
		refused, says string
		args          []string
	}{
		"the registry refuses one": {"redis:*", "does not answer for redis:", nil},
		"a version that has ended": {"none", "does not say until when node:20.19.0", []string{"node:20.19.0"}},
		"an image of nobody":       {"none", "no file names mysql", []string{"mysql:9"}},
	} {
		after, err := pin(t, c.refused, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.says) || !maps.Equal(before, after) {
			t.Errorf("%s: %v; the images are %v", name, err, after)
		}
	}
}
