package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/consultation"
)

// consultations is the namespace of Wenzhen's commands.
const consultations = rooms.Consultations

// talk is an active consultation of a patient and a doctor, with the access tokens
// of both.
type talk struct {
	ID      consultation.ID `json:"id"`
	Patient string          `json:"patient"`
	Doctor  string          `json:"doctor"`

	patient *client.Client // for REST; nil for a bare server
}

// token returns the token of the patient (0) or the doctor (1).
func (t talk) token(side int) string {
	if side == 0 {
		return t.Patient
	}
	return t.Doctor
}

// world creates n active consultations. Every account participates in up to each of
// them. A durable server of bench/peers creates its own.
func (r *run) world(ctx context.Context, n, each int) ([]talk, error) {
	if r.Bare {
		return r.bareWorld(ctx, n)
	}
	accounts := (n + each - 1) / each
	doctors, err := r.doctors(ctx, accounts)
	if err != nil {
		return nil, err
	}
	patients, _, err := r.register(ctx, rooms.RolePatient, accounts)
	if err != nil {
		return nil, err
	}
	r.stageIs("opening consultations")
	talks := make([]talk, n)
	return talks, r.each(ctx, n, func(ctx context.Context, i int) error {
		patient, doctor := patients[i%accounts], doctors[i%accounts]
		opened, err := doRetrying(ctx, patient, consultation.Open, consultation.OpenInput{DoctorID: doctor.id,
			Service: account.Advice, Medium: account.Text, Complaint: "load"})
		if err != nil {
			return fmt.Errorf("open a consultation: %w", err)
		}
		id := opened.Consultation.ID
		if _, err := doRetrying(ctx, doctor.client, consultation.Accept, consultation.Input{ConsultationID: id}); err != nil {
			return fmt.Errorf("accept a consultation: %w", err)
		}
		talks[i] = talk{ID: id, patient: patient,
			Patient: patient.Tokens().AccessToken, Doctor: doctor.client.Tokens().AccessToken}
		return nil
	})
}

type doctor struct {
	client *client.Client
	id     rooms.UserID
}

// doctors registers verified doctors with a free service.
func (r *run) doctors(ctx context.Context, n int) ([]doctor, error) {
	admin, err := client.Login(ctx, r.Server, r.AdminEmail, r.AdminPassword)
	if err != nil {
		return nil, fmt.Errorf("log in as %s, to verify doctors: %w", r.AdminEmail, err)
	}
	clients, users, err := r.register(ctx, rooms.RoleDoctor, n)
	if err != nil {
		return nil, err
	}
	offer := account.DoctorChange{OnDuty: new(true),
		Services: &[]account.DoctorService{{Service: account.Advice, Medium: account.Text, Currency: "CNY", Minutes: 60}}}
	r.stageIs("verifying doctors")
	list := make([]doctor, n)
	return list, r.each(ctx, n, func(ctx context.Context, i int) error {
		list[i] = doctor{clients[i], users[i].ID}
		if _, err := doRetrying(ctx, clients[i], account.UpdateDoctor, offer); err != nil {
			return fmt.Errorf("offer a service: %w", err)
		}
		if _, err := doRetrying(ctx, admin, account.VerifyDoctor, account.VerifyDoctorInput{DoctorID: users[i].ID}); err != nil {
			return fmt.Errorf("verify a doctor: %w", err)
		}
		return nil
	})
}

// register opens accounts. Their addresses differ from those of earlier runs.
func (r *run) register(ctx context.Context, role rooms.Role, n int) ([]*client.Client, []account.User, error) {
	r.stageIs("registering %ss", role)
	stamp := time.Now().UnixNano()
	clients, users := make([]*client.Client, n), make([]account.User, n)
	err := r.each(ctx, n, func(ctx context.Context, i int) error {
		c, err := client.New(r.Server, client.WithHTTPClient(r.dialer.http))
		if err != nil {
			return err
		}
		in := account.RegisterInput{Role: role, Name: fmt.Sprintf("Load %d", i),
			Email: fmt.Sprintf("%s-%d-%d@load.example", role, stamp, i), Password: "load-" + rooms.NewID(time.Now())}
		err = retryRateLimited(ctx, func() (err error) {
			users[i], err = c.Register(ctx, in)
			return err
		})
		clients[i] = c
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("register: %w", err)
	}
	return clients, users, nil
}

// doRetrying sends a command over REST and repeats it if it is rate-limited.
func doRetrying[In, Out any](ctx context.Context, c *client.Client, command rooms.Command[In, Out], in In) (out Out, err error) {
	err = retryRateLimited(ctx, func() (err error) {
		out, err = client.Do(ctx, c, command, in)
		return err
	})
	return out, err
}

// retryRateLimited calls try again after each rate_limited error.
func retryRateLimited(ctx context.Context, try func() error) error {
	for {
		err := try()
		var e *rooms.Error
		if !errors.As(err, &e) || e.Code != rooms.CodeRateLimited {
			return err
		}
		if err := wait(ctx, max(time.Duration(e.RetryAfterMs)*time.Millisecond, 50*time.Millisecond)); err != nil {
			return err
		}
	}
}

// bareWorld requests consultations from a durable server of bench/peers.
func (r *run) bareWorld(ctx context.Context, n int) ([]talk, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/world?consultations=%d", r.Server, n), nil)
	if err != nil {
		return nil, err
	}
	response, err := r.dialer.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var talks []talk
	if err := json.NewDecoder(response.Body).Decode(&talks); err != nil {
		return nil, fmt.Errorf("the server did not create consultations: %w", err)
	}
	return talks, nil
}

// Logins opens the accounts that idle and connect need and returns an access token
// for each. Hashing their passwords takes memory, which would distort the
// measurement of connections: with Options.Logins the server can be restarted after
// it.
func Logins(ctx context.Context, o Options) ([]string, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &run{Options: o, dialer: newDialer(o)}
	defer r.dialer.close()
	return r.logins(ctx)
}

func (r *run) logins(ctx context.Context) ([]string, error) {
	n := (r.Connections + r.SocketsPerUser - 1) / r.SocketsPerUser
	switch {
	case r.Bare:
		return nil, nil
	case len(r.Logins) > 0 && len(r.Logins) < n:
		return nil, fmt.Errorf("%d connections need %d logins", r.Connections, n)
	case len(r.Logins) > 0:
		return r.Logins, nil
	}
	clients, _, err := r.register(ctx, rooms.RolePatient, n)
	tokens := make([]string, len(clients))
	for i, c := range clients {
		tokens[i] = c.Tokens().AccessToken
	}
	return tokens, err
}
