package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// readyPatience is how long a server may take to say whether it is ready.
const readyPatience = 3 * time.Second

// AskReady asks the server at an address whether it is ready; nil if it is.
func AskReady(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("not ready: %s %s", resp.Status, said)
	}
	return nil
}
