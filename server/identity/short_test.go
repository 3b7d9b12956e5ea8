package identity_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/server/identity"
)

// What a provider sends without end is not read to its end.
func TestAnswersOfProvidersAreShort(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	sent := make(chan int, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		written := 0
		block := bytes.Repeat([]byte{'x'}, 64<<10)
		_, err := io.WriteString(w, `{"issuer": "`)
		for err == nil && written < most {
			var n int
			n, err = w.Write(block)
			written += n
		}
		sent <- written
	}))
	defer provider.Close()
	providers, err := identity.New([]identity.Config{{ID: "clinic", Issuer: provider.URL, ClientID: "wenzhen", ClientSecret: "secret"}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer providers.Close()
	if _, err := providers.Begin(t.Context(), "clinic", "https://clinic.example/back", account.AuthRequest{State: "s", Nonce: "n"}); rooms.CodeOf(err) != rooms.CodeUnavailable {
		t.Errorf("got %v, want that the provider cannot be reached", err)
	}
	if got := <-sent; got >= most {
		t.Errorf("all %d bytes were read", got)
	}
}
