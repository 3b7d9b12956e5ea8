package client_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"wenzhen.example/client"
	"wenzhen.example/rooms/account"
	"wenzhen.example/rooms/chat"
	"wenzhen.example/rooms/consultation"
	"wenzhen.example/server/app"
)

// A patient of the demo opens a consultation, sends a message and reads the events.
func Example() {
	base, shutDown := demo()
	defer shutDown()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Login(ctx, base, "jing@wenzhen.example", "wenzhen-demo")
	check(err)
	check(c.Connect(ctx))
	defer c.Close(ctx)

	doctors, err := client.Do(ctx, c, account.Doctors, account.DoctorFilter{Department: "皮肤科"})
	check(err)
	opened, err := client.Do(ctx, c, consultation.Open, consultation.OpenInput{
		DoctorID: doctors.Items[0].ID, Service: account.Advice, Medium: account.Text, Complaint: "红疹"})
	check(err)

	room, err := c.Join(ctx, opened.Consultation.ID, 0)
	check(err)
	_, err = room.Send(ctx, chat.SendInput{Kind: chat.Text, Text: "医生好"})
	check(err)
	for entry, err := range room.Events(ctx) {
		check(err)
		fmt.Println(entry.Seq, entry.Name)
		if m, err := client.Decode(chat.MessageCreated, entry); err == nil {
			fmt.Println(m.Text)
			break
		}
	}
	// Output:
	// 1 consultation:updated
	// 2 message:created
	// 医生好
}

// demo starts a server with the demo's accounts.
func demo() (base string, shutDown func()) {
	dir, err := os.MkdirTemp("", "wenzhen")
	check(err)
	var cfg app.Config
	parser, err := kong.New(&cfg) // the defaults of the command line
	check(err)
	_, err = parser.Parse([]string{"--addr=127.0.0.1:0", "--data=" + dir, "--demo"})
	check(err)
	s, err := app.New(context.Background(), cfg, slog.New(slog.DiscardHandler))
	check(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	return s.URL(), func() {
		stop()
		check(<-ended)
		http.DefaultClient.CloseIdleConnections()
		check(os.RemoveAll(dir))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
