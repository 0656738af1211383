// What the test that started this peer can ask of it: a line { "id", "do", ... } is answered by a
// line { "id", ... } or { "id", "error" }.
//
//	leave    topic         end the subscription to one of RELAY_TOPICS
//	publish  topic, text   to everybody on a topic of RELAY_TOPICS
//	reserve  addr          a slot at another relay
//	perf     addr, bytes   dial, upload so many bytes by /perf/1.0.0 and get as many: { perf }
//	score    text          { score, count }: the lowest that the peer `text` ever had, and of how many looks
//	try      addr, text    dial and open a stream of the protocol `text`, which has to be refused
//	visit    addr, bytes   dial, identify, ping, echo: { peerId, agent, protocols, dialMs, pingMs, echoed }
//
// What is heard from others on the topics comes unasked: { "heard": { topic, from, text } }.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multistream"
)

const patience = 20 * time.Second

type answers struct {
	mutex sync.Mutex
	json  *json.Encoder
}

func (a *answers) say(what any) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	_ = a.json.Encode(what) // where nobody reads any more, stdin ends next
}

type request struct {
	ID                    int
	Do, Topic, Text, Addr string
	Bytes                 int
}

// The lowest score of each peer, looked at once a second.
type scores struct {
	mutex  sync.Mutex
	lowest map[peer.ID]float64
	count  int
}

func (s *scores) keep(now map[peer.ID]float64) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.lowest == nil {
		s.lowest = map[peer.ID]float64{}
	}
	for id, score := range now {
		s.lowest[id] = min(s.lowest[id], score)
	}
	s.count++
}

func (s *scores) of(text string) (map[string]any, error) {
	id, err := peer.Decode(text)
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return map[string]any{"score": s.lowest[id], "count": s.count}, nil
}

// js-libp2p's weights of what is wrong; nothing is good enough to make up for it.
func scoring(acceptPX float64) (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	return &pubsub.PeerScoreParams{
			AppSpecificScore:       func(peer.ID) float64 { return 0 },
			BehaviourPenaltyWeight: -10,
			BehaviourPenaltyDecay:  0.2,
			DecayInterval:          time.Second,
			DecayToZero:            0.1,
			RetainScore:            time.Hour,
		}, &pubsub.PeerScoreThresholds{
			GossipThreshold: -10, PublishThreshold: -50, GraylistThreshold: -80, AcceptPXThreshold: acceptPX, OpportunisticGraftThreshold: 20,
		}
}

// A topic of RELAY_TOPICS, and our subscription to it.
type joined struct {
	*pubsub.Topic
	subscription *pubsub.Subscription
}

func obey(ctx context.Context, h host.Host, topics map[string]joined, scores *scores, line string, out *answers) {
	var r request
	answer, err := map[string]any{}, json.Unmarshal([]byte(line), &r)
	if err == nil {
		ctx, cancel := context.WithTimeout(network.WithAllowLimitedConn(ctx, "test"), patience)
		defer cancel()
		switch r.Do {
		case "leave":
			topics[r.Topic].subscription.Cancel()
		case "publish":
			err = topics[r.Topic].Publish(ctx, []byte(r.Text))
		case "reserve":
			err = reserve(ctx, h, r.Addr)
		case "perf":
			answer, err = measure(ctx, h, r.Addr, r.Bytes)
		case "score":
			answer, err = scores.of(r.Text)
		case "try":
			err = try(ctx, h, r.Addr, protocol.ID(r.Text))
		case "visit":
			answer, err = visit(ctx, h, r.Addr, r.Bytes)
		default:
			err = errors.New("no such command: " + line)
		}
	}
	if err != nil {
		answer = map[string]any{"error": err.Error()}
	}
	answer["id"] = r.ID
	out.say(answer)
}

func listen(ctx context.Context, ps *pubsub.PubSub, name string, self peer.ID, out *answers) (joined, error) {
	topic, err := ps.Join(name)
	if err != nil {
		return joined{}, err
	}
	subscription, err := topic.Subscribe()
	if err != nil {
		return joined{}, err
	}
	go func() {
		for {
			m, err := subscription.Next(ctx)
			if err != nil {
				return
			}
			if m.GetFrom() != self {
				out.say(map[string]any{"heard": map[string]any{"topic": name, "from": m.GetFrom(), "text": string(m.Data)}})
			}
		}
	}()
	return joined{topic, subscription}, nil
}

func reserve(ctx context.Context, h host.Host, addr string) error {
	relay, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return err
	}
	_, err = client.Reserve(ctx, h, *relay)
	return err
}

// To fail is what is wanted, and only in the way of a peer that does not speak the protocol.
func try(ctx context.Context, h host.Host, addr string, id protocol.ID) error {
	them, err := dial(ctx, h, addr)
	if err != nil {
		return err
	}
	s, err := h.NewStream(ctx, them, id)
	if err == nil {
		_ = s.Reset()
		return fmt.Errorf("%s was accepted", id)
	}
	if refused := (multistream.ErrNotSupported[protocol.ID]{}); !errors.As(err, &refused) {
		return fmt.Errorf("%s was not refused: %w", id, err)
	}
	return nil
}

func measure(ctx context.Context, h host.Host, addr string, length int) (map[string]any, error) {
	them, err := dial(ctx, h, addr)
	if err != nil {
		return nil, err
	}
	s, err := h.NewStream(ctx, them, perfID)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if err := binary.Write(s, binary.BigEndian, uint64(length)); err != nil {
		return nil, err
	}
	if err := errors.Join(pour(s, uint64(length), 1<<16), s.CloseWrite()); err != nil {
		return nil, err
	}
	n, err := io.Copy(io.Discard, s)
	return map[string]any{"perf": n}, err
}

func dial(ctx context.Context, h host.Host, addr string) (peer.ID, error) {
	them, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return "", err
	}
	return them.ID, h.Connect(ctx, *them)
}

func visit(ctx context.Context, h host.Host, addr string, length int) (map[string]any, error) {
	them, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	if err := h.Connect(ctx, *them); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	dialled := time.Since(started)
	agent, err := h.Peerstore().Get(them.ID, "AgentVersion") // Connect waits for identify
	if err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	protocols, err := h.Peerstore().GetProtocols(them.ID)
	if err != nil {
		return nil, fmt.Errorf("identify: %w", err)
	}
	pong := <-ping.Ping(ctx, h, them.ID)
	if pong.Error != nil {
		return nil, fmt.Errorf("ping: %w", pong.Error)
	}
	echoed, err := echoThrough(ctx, h, them.ID, length)
	if err != nil {
		return nil, fmt.Errorf("echo: %w", err)
	}
	return map[string]any{
		"peerId": them.ID, "agent": agent, "protocols": protocols, "echoed": echoed,
		"dialMs": milliseconds(dialled), "pingMs": milliseconds(pong.RTT),
	}, nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// How many random bytes came back unchanged, which is all or an error.
func echoThrough(ctx context.Context, h host.Host, id peer.ID, length int) (int, error) {
	s, err := h.NewStream(ctx, id, echoID)
	if err != nil {
		return 0, err
	}
	defer s.Reset()
	if err := s.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	sent := make([]byte, length)
	rand.Read(sent)
	writing := make(chan error, 1)
	go func() {
		_, err := s.Write(sent)
		writing <- errors.Join(err, s.CloseWrite())
	}()
	back := sha256.New()
	n, err := io.Copy(back, s)
	if err := errors.Join(err, <-writing); err != nil {
		return int(n), err
	}
	hash := sha256.Sum256(sent)
	if !bytes.Equal(back.Sum(nil), hash[:]) {
		return int(n), fmt.Errorf("%d of %d bytes came back, changed", n, length)
	}
	return int(n), nil
}
