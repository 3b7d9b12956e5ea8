package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// echo sends one message at a time on one connection. The acknowledgement must
// contain the message.
func echo(ctx context.Context, r *run) error {
	r.Connections = 1
	if err := r.openAll(ctx, func(int) (string, string, func([]byte)) { return "/", "", nil }); err != nil {
		return err
	}
	text, attachment := fmt.Appendf(nil, `"%s"`, strings.Repeat("x", r.Payload)), []byte(nil)
	want := fmt.Appendf(nil, `[%s]`, text)
	if r.Binary {
		text, attachment = []byte(`{"_placeholder":true,"num":0}`), bytes.Repeat([]byte{0xA5}, r.Payload)
		want = attachment
	}
	reply := make(chan bool, 1)
	talk := func(until time.Duration, most int) (n int64, err error) {
		end := time.Now().Add(until)
		for (most == 0 || n < int64(most)) && time.Now().Before(end) && ctx.Err() == nil {
			began := time.Now()
			err := r.conns[0].emit("echo", text, attachment, func(body []byte) { reply <- bytes.Equal(body, want) })
			if err != nil {
				return n, err
			}
			select {
			case same := <-reply:
				if !same {
					return n, errors.New("load: the echo differs from the message")
				}
			case <-time.After(5 * time.Second):
				return n, errors.New("load: no echo was received")
			}
			r.latency.add(time.Since(began))
			r.done.Add(1)
			n++
		}
		return n, ctx.Err()
	}
	r.stageIs("echoing")
	if _, err := talk(r.Duration/4, r.Count/4); err != nil {
		return err
	}
	r.latency.take()
	if err := r.meter.start(r.Options); err != nil {
		return err
	}
	n, err := talk(r.Duration, r.Count)
	if err != nil {
		return err
	}
	r.result.Operations, r.result.Unit = n, "echo"
	if err := r.meter.stop(&r.result); err != nil {
		return err
	}
	r.result.Latency = r.latency.take()
	r.result.Sent, r.result.Delivered = n, n
	return nil
}
