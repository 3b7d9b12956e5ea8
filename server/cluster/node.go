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

	"wenzhen.example/rooms"
	"wenzhen.example/rooms/operations"
)

// Local operates on the sockets of this node: those that are in any of the rooms
// in, or in the namespace if in is empty, and in none of the rooms except.
type Local interface {
	Namespaces() []string
	Emit(namespace string, in, except []string, event string, args ...any) error
	Each(namespace string, in, except []string, f func(id string, rooms []string, address string, user rooms.UserID))
	Move(namespace string, in, except, join, leave []string)
	Kick(namespace string, in, except []string)
	Connections() int
}

// Limits are the rate limits of this node.
type Limits interface {
	// Spent returns what was used on this node since the last call, for users who
	// may be near a limit.
	Spent() map[string]map[string]int
	// SpentElsewhere subtracts what was used on another node.
	SpentElsewhere(spent map[string]map[string]int)
}

// Config configures a Node.
type Config struct {
	// URL of Redis, redis://… or rediss://….
	URL string
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Intervals and limits of a node.
const (
	heartbeatEvery = time.Second
	spentEvery     = 100 * time.Millisecond
	// nodeLost is the time without a message after which another node is removed,
	// and without an own message after which this one is not connected to Redis.
	nodeLost = 5 * time.Second
	// queueMost bounds the messages that are queued for publishing. Further
	// messages are dropped, because they would be late.
	queueMost    = 4096
	batchMost    = 128
	redisTimeout = 2 * time.Second
	retryEvery   = 500 * time.Millisecond
)

// Node is this node of the cluster.
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

	lastEcho atomic.Int64 // when an own message was last received, in Unix milliseconds
	dropped  atomic.Int64
	state    localState
	stats    peerStats
	peers    map[string]*peerState // only the receiving goroutine uses it
}

type message struct {
	channel string
	payload []byte
}

// New returns a node. It connects to Redis in Start.
func New(cfg Config) (*Node, error) {
	opts, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, errors.New("redis: must be redis://[user:password@]host:port or rediss://…") // not err: it repeats the password
	}
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = redisTimeout, redisTimeout, redisTimeout
	opts.MaxRetries = -1 // a retried message would be late
	return &Node{cfg: cfg, id: rand.Text()[:12], redis: redis.NewClient(opts), out: make(chan message, queueMost),
		state: localState{devices: rooms.Devices{}}, stats: peerStats{peers: map[string]operations.NodeStats{}},
		peers: map[string]*peerState{}}, nil
}

// Start connects the node. Redis need not be available yet.
func (n *Node) Start(local Local, presence *rooms.Presence, limits Limits) {
	n.local, n.presence, n.limits = local, presence, limits
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.tasks.Go(func() { n.publish(ctx) })
	n.tasks.Go(func() { n.receive(ctx) })
	n.tasks.Go(func() { n.heartbeat(ctx) })
}

// Close notifies the other nodes that this one leaves, and disconnects from
// Redis.
func (n *Node) Close() error {
	if n.stop != nil {
		n.stop()
		n.tasks.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), redisTimeout)
		defer cancel()
		// If this fails, the others remove this node after nodeLost.
		_ = n.redis.Publish(ctx, nodesChannel, encode(nodeMessage{Kind: kindGone, Node: n.id})).Err()
	}
	return n.redis.Close()
}

// Status is the connection of this node to the others.
type Status struct {
	// Connected reports whether this node receives what it publishes.
	Connected bool
	// Nodes is the number of other nodes.
	Nodes int
	// Dropped is the number of messages that were not published because Redis was
	// slow or unavailable.
	Dropped int64
}

// Status returns the connection of this node to the others.
func (n *Node) Status() Status {
	return Status{Connected: n.connected(), Nodes: int(n.state.peers.Load()), Dropped: n.dropped.Load()}
}

func (n *Node) connected() bool {
	return n.cfg.Now().UnixMilli()-n.lastEcho.Load() < nodeLost.Milliseconds()
}

// enqueue queues a message for publishing, or drops it if the queue is full.
func (n *Node) enqueue(channel string, payload []byte) {
	select {
	case n.out <- message{channel, payload}:
	default:
		n.dropped.Add(1)
	}
}

// publish publishes the queued messages in order and in batches, until ctx ends.
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

// receive handles messages until ctx ends. It subscribes again after each failure
// of Redis.
func (n *Node) receive(ctx context.Context) {
	logged := false
	for ctx.Err() == nil {
		err := n.subscribe(ctx)
		if ctx.Err() != nil {
			return
		}
		if !logged {
			n.cfg.Log.Warn("redis: signals stay on this node meanwhile", "error", err)
		}
		logged = true
		n.forgetSilent()
		pause := time.NewTimer(retryEvery)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
		if n.connected() {
			logged = false
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
	n.enqueue(nodesChannel, encode(nodeMessage{Kind: kindHello, Node: n.id}))
	for {
		// Our own heartbeats arrive every second: without any, the connection is dead.
		received, err := sub.ReceiveTimeout(ctx, nodeLost/2)
		if err != nil {
			return err
		}
		if m, ok := received.(*redis.Message); ok {
			n.handle(ctx, m)
		}
		if now := n.cfg.Now(); !n.connected() && now.Sub(began) > nodeLost {
			return fmt.Errorf("published messages are not received")
		}
	}
}

// handle handles a message from Redis.
func (n *Node) handle(ctx context.Context, m *redis.Message) {
	defer func() {
		if v := recover(); v != nil { // a message of another program must not end the node
			n.cfg.Log.Error("redis: a message could not be handled", "channel", m.Channel, "panic", v)
		}
	}()
	switch {
	case m.Channel == nodesChannel:
		n.handleNodeMessage([]byte(m.Payload))
	case m.Pattern != "":
		n.handlePacket(m.Channel, []byte(m.Payload))
	default:
		n.handleRequest(ctx, m.Channel, []byte(m.Payload))
	}
}
