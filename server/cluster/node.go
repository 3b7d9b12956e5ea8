package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"wenzhen/rooms"
	"wenzhen/rooms/operations"
)

// Local is what the cluster asks of the sockets of this node: those that are in
// any of the rooms in, or in the namespace when that is empty, and in none of except.
type Local interface {
	Namespaces() []string
	Emit(namespace string, in, except []string, event string, args ...any) error
	Each(namespace string, in, except []string, f func(id string, rooms []string, address string, user rooms.UserID))
	Move(namespace string, in, except, join, leave []string)
	Kick(namespace string, in, except []string)
	Connections() int
}

// Limits is what the cluster asks of the rate limits of this node.
type Limits interface {
	// Spent is what was used up here since the last call and is worth telling.
	Spent() map[string]map[string]int
	// SpentElsewhere takes off what was used up on another node.
	SpentElsewhere(spent map[string]map[string]int)
}

// Config says how a node meets the others.
type Config struct {
	// URL of Redis, redis://… or rediss://….
	URL string
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Pace and bounds of a node.
const (
	beatEvery  = time.Second
	spentEvery = 100 * time.Millisecond
	// nodeLost is the silence after which another node is taken for dead, and
	// this one for cut off from Redis.
	nodeLost = 5 * time.Second
	// queueMost bounds what waits to be published; what comes in past it is
	// dropped, as it would come late.
	queueMost    = 4096
	batchMost    = 128
	redisTimeout = 2 * time.Second
	retryEvery   = 500 * time.Millisecond
)

// Node is this node among the others.
type Node struct {
	cfg      Config
	id       string
	redis    *redis.Client
	local    Local
	presence *rooms.Presence
	limits   Limits
	out      chan message
	stop     context.CancelFunc
	tasks    sync.WaitGroup

	heard   atomic.Int64 // when our own beat last came back, in Unix milliseconds
	dropped atomic.Int64
	here    here
	figures figures
	others  map[string]*other // of the receiving goroutine alone
}

type message struct {
	channel string
	payload []byte
}

// New reads the URL; nothing is connected before Start.
func New(cfg Config) (*Node, error) {
	opts, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errors.New("redis: must be redis://[user:password@]host:port or rediss://…") // not err: it repeats the password
	}
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	opts.MaxRetries = -1 // what could not be said is late already
	return &Node{cfg: cfg, id: rand.Text()[:12], redis: redis.NewClient(opts), out: make(chan message, queueMost),
		here: here{devices: rooms.Devices{}}, figures: figures{others: map[string]operations.NodeStats{}}, others: map[string]*other{}}, nil
}

// Start joins the others; Redis need not be there yet.
func (n *Node) Start(local Local, presence *rooms.Presence, limits Limits) {
	n.local, n.presence, n.limits = local, presence, limits
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.tasks.Go(func() { n.publish(ctx) })
	n.tasks.Go(func() { n.receive(ctx) })
	n.tasks.Go(func() { n.beat(ctx) })
}

// Close notifies the other nodes that this one leaves, and disconnects from
// Redis.
func (n *Node) Close() error {
	if n.stop != nil {
		n.stop()
		n.tasks.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
		defer cancel()
		_ = n.redis.Publish(ctx, nodesChannel, encode(news{Kind: kindGone, Node: n.id})).Err() // or they notice
	}
	return n.redis.Close()
}

// Status tells how this node stands with the others.
type Status struct {
	// Connected reports whether this node receives what it publishes.
	Connected bool
	// Nodes is how many others are heard of.
	Nodes int
	// Dropped is how much was not published because Redis was slow or away.
	Dropped int64
}

// Status tells how this node stands with the others.
func (n *Node) Status() Status {
	return Status{Connected: n.connected(), Nodes: int(n.here.known.Load()), Dropped: n.dropped.Load()}
}

func (n *Node) connected() bool {
	return n.cfg.Now().UnixMilli()-n.heard.Load() < nodeLost.Milliseconds()
}

// say queues a message, or drops it.
func (n *Node) say(channel string, payload []byte) {
	select {
	case n.out <- message{channel, payload}:
	default:
		n.dropped.Add(1)
	}
}

// publish sends what is queued, in order, as much at once as waits.
func (n *Node) publish(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-n.out:
			batch := []message{first}
			for len(batch) < min(batchMost, 1+len(n.out)) {
				batch = append(batch, <-n.out)
			}
			n.send(ctx, batch)
		}
	}
}

func (n *Node) send(ctx context.Context, batch []message) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	_, err := n.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, m := range batch {
			p.Publish(ctx, m.channel, m.payload)
		}
		return nil
	})
	if err != nil {
		n.dropped.Add(int64(len(batch)))
	}
}

// receive hears the others until ctx ends, subscribing anew whenever Redis was away.
func (n *Node) receive(ctx context.Context) {
	told := false
	for ctx.Err() == nil {
		err := n.subscribe(ctx)
		if ctx.Err() != nil {
			return
		}
		if !told {
			n.cfg.Log.Warn("redis: signals stay on this node meanwhile", "error", err)
		}
		told = true
		n.forgetSilent()
		pause := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
		if n.connected() {
			told = false
		}
	}
}

func (n *Node) subscribe(ctx context.Context) error {
	channels := []string{nodesChannel}
	var patterns []string
	for _, namespace := range n.local.Namespaces() {
		channels = append(channels, requestChannel(namespace))
		patterns = append(patterns, packetChannel(namespace, "")+"*")
	}
	sub := n.redis.Subscribe(ctx, channels...)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })() // a read does not end with its context
	if err := sub.PSubscribe(ctx, patterns...); err != nil {
		return err
	}
	began := n.cfg.Now()
	n.say(nodesChannel, encode(news{Kind: kindHello, Node: n.id}))
	for {
		// Our own beats come every second: silence means that the connection is dead.
		received, err := sub.ReceiveTimeout(ctx, nodeLost/2)
		if err != nil {
			return err
		}
		if m, ok := received.(*redis.Message); ok {
			n.hear(ctx, m)
		}
		if now := n.cfg.Now(); !n.connected() && now.Sub(began) > nodeLost {
			return fmt.Errorf("nothing published comes back")
		}
	}
}

func (n *Node) hear(ctx context.Context, m *redis.Message) {
	defer func() {
		if v := recover(); v != nil { // what strangers send must not end the node
			n.cfg.Log.Error("redis: a message could not be handled", "channel", m.Channel, "panic", v)
		}
	}()
	switch {
	case m.Channel == nodesChannel:
		n.hearNews([]byte(m.Payload))
	case m.Pattern != "":
		n.hearPacket(m.Channel, []byte(m.Payload))
	default:
		n.hearRequest(ctx, m.Channel, []byte(m.Payload))
	}
}
