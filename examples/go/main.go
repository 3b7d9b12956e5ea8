// The lobby with the Go client: go run ./examples/go
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"wenzhen.example/client"
	"wenzhen.example/rooms/lobby"
)

func main() {
	if err := run(cmp.Or(os.Getenv("WENZHEN_URL"), "http://localhost:8080")); err != nil {
		log.Fatal(err)
	}
}

func run(server string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(server, client.InLobby("go"))
	if err != nil {
		return err
	}
	client.On(c, lobby.Said, func(l lobby.Line) { fmt.Printf("%s: %s\n", l.Nickname, l.Text) })
	if err := c.Connect(ctx); err != nil {
		return err
	}
	line, err := client.Call(ctx, c, lobby.Say, lobby.SayInput{Text: "hello from go"})
	if err != nil {
		return err
	}
	fmt.Println("said at", line.At)
	return c.Close(ctx)
}
