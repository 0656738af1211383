// A go-libp2p peer for the tests: circuit relay, gossipsub router, echo and perf server, over
// WebSocket, TCP, QUIC, WebTransport and WebRTC Direct on loopback.
//
// It prints one line of JSON when it is up, { peerId, addr, addrs, pid }, and ends when its standard
// input does. In between, standard input takes commands and standard output gives answers and
// messages heard, one line of JSON each; see command.go. Settings are those of ../../relay.mjs:
// RELAY_PORT (WebSocket), RELAY_HOST, RELAY_SEED, RELAY_TOPICS, RELAY_LIMITS, and RELAY_UDP_PORT;
// with RELAY_PX a PRUNE tells of other peers, and is believed;
// with RELAY_KEY_TYPE (RSA, Secp256k1 or ECDSA) it has a new key of that type and needs no seed;
// with RELAY_CERT and RELAY_KEY, names of PEM files, there is a secure WebSocket as well (at
// RELAY_TLS_PORT), and with RELAY_METRICS, host:port, Prometheus finds /metrics there.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/crypto/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	webrtc "github.com/libp2p/go-libp2p/p2p/transport/webrtc"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	webtransport "github.com/libp2p/go-libp2p/p2p/transport/webtransport"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The names js-libp2p gives them; a relay without limits has applyDefaultLimit false.
type limits struct {
	MaxReservations      int
	ReservationTtl       int // ms
	ApplyDefaultLimit    bool
	DefaultDurationLimit int // ms
	DefaultDataLimit     int64
}

func resources(text string) (relay.Resources, error) {
	l := limits{1000, 2 * 3600 * 1000, true, 120_000, 1 << 17}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return relay.Resources{}, err
	}
	rc := relay.DefaultResources()
	rc.ReservationTTL = time.Duration(l.ReservationTtl) * time.Millisecond
	rc.MaxReservations = l.MaxReservations
	rc.MaxReservationsPerIP, rc.MaxReservationsPerASN = l.MaxReservations, l.MaxReservations
	rc.MaxCircuits = 1000
	rc.BufferSize = 1 << 16
	rc.Limit = nil
	if l.ApplyDefaultLimit {
		rc.Limit = &relay.RelayLimit{Duration: time.Duration(l.DefaultDurationLimit) * time.Millisecond, Data: l.DefaultDataLimit}
	}
	return rc, nil
}

func setting(name, standard string) string {
	if text, ok := os.LookupEnv(name); ok {
		return text
	}
	return standard
}

// With a seed the peer can die and come back as the same one.
func identity() (crypto.PrivKey, error) {
	if name, ok := os.LookupEnv("RELAY_KEY_TYPE"); ok {
		key, _, err := crypto.GenerateKeyPair(int(pb.KeyType_value[name]), 2048)
		return key, err
	}
	seed, err := hex.DecodeString(setting("RELAY_SEED", ""))
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		key, _, err := crypto.GenerateKeyPair(crypto.Ed25519, 0)
		return key, err
	}
	return crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed))
}

// The standard transports, with a certificate for WebSockets where there is one.
func transports(at string) (libp2p.Option, []string, error) {
	file, ok := os.LookupEnv("RELAY_CERT")
	if !ok {
		return libp2p.DefaultTransports, nil, nil
	}
	certificate, err := tls.LoadX509KeyPair(file, setting("RELAY_KEY", ""))
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	return libp2p.ChainOptions(
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Transport(quic.NewTransport),
		libp2p.Transport(websocket.New, websocket.WithTLSConfig(config)),
		libp2p.Transport(webtransport.New),
		libp2p.Transport(webrtc.New),
	), []string{at + "/tcp/" + setting("RELAY_TLS_PORT", "0") + "/tls/ws"}, err
}

func start() (host.Host, error) {
	key, err := identity()
	if err != nil {
		return nil, err
	}
	allowed, err := resources(setting("RELAY_LIMITS", "{}"))
	if err != nil {
		return nil, err
	}
	// The stock limits are for the open internet: all our peers come from one address.
	manager, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(rcmgr.InfiniteLimits))
	if err != nil {
		return nil, err
	}
	connections, err := connmgr.NewConnManager(5000, 10_000)
	if err != nil {
		return nil, err
	}
	at := "/ip4/" + setting("RELAY_HOST", "127.0.0.1")
	udp := at + "/udp/" + setting("RELAY_UDP_PORT", "0")
	carriers, secure, err := transports(at)
	if err != nil {
		return nil, err
	}
	h, err := libp2p.New(
		carriers,
		libp2p.ListenAddrStrings(secure...),
		libp2p.Identity(key),
		libp2p.UserAgent("go-libp2p"),
		libp2p.ListenAddrStrings(
			at+"/tcp/"+setting("RELAY_PORT", "0")+"/ws",
			at+"/tcp/0",
			udp+"/quic-v1",
			udp+"/quic-v1/webtransport",
			udp+"/webrtc-direct",
		),
		libp2p.ResourceManager(manager),
		libp2p.ConnectionManager(connections),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.EnableHolePunching(), // it opens /libp2p/dcutr to whoever comes through a relay
	)
	if err != nil {
		return nil, err
	}
	if address, ok := os.LookupEnv("RELAY_METRICS"); ok {
		http.Handle("/metrics", promhttp.Handler())
		go func() { fmt.Fprintln(os.Stderr, "go peer:", http.ListenAndServe(address, nil)) }()
	}
	_, err = relay.New(h, relay.WithResources(allowed), relay.WithMetricsTracer(relay.NewMetricsTracer()))
	return h, err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "go peer:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx := context.Background()
	h, err := start()
	if err != nil {
		return err
	}
	defer h.Close()
	serve(h)
	// What does not fit the stock queues of 32 is dropped: a burst of a benchmark must not be.
	scores := &scores{}
	_, exchanges := os.LookupEnv("RELAY_PX")
	acceptPX := 10.0
	if exchanges {
		acceptPX = 0
	}
	options := []pubsub.Option{pubsub.WithPeerOutboundQueueSize(10_000), pubsub.WithValidateQueueSize(10_000)}
	newRouter := pubsub.NewFloodSub
	if setting("RELAY_FLOODSUB", "") == "" {
		newRouter = pubsub.NewGossipSub
		options = append(options, pubsub.WithPeerExchange(exchanges), pubsub.WithPeerScore(scoring(acceptPX)), pubsub.WithPeerScoreInspect(scores.keep, time.Second))
	}
	ps, err := newRouter(ctx, h, options...)
	if err != nil {
		return err
	}
	out := answers{json: json.NewEncoder(os.Stdout)}
	topics := map[string]joined{}
	for _, name := range strings.Split(setting("RELAY_TOPICS", "browser-peer-discovery,_peer-discovery._p2p._pubsub"), ",") {
		if topics[name], err = listen(ctx, ps, name, h.ID(), &out); err != nil {
			return err
		}
	}
	var addrs []string
	for _, addr := range h.Network().ListenAddresses() {
		if text := addr.String(); strings.HasPrefix(text, "/ip4/") { // the relay client's is none
			addrs = append(addrs, text+"/p2p/"+h.ID().String())
		}
	}
	ws := slices.IndexFunc(addrs, func(text string) bool { return strings.Contains(text, "/ws/") })
	out.say(map[string]any{"peerId": h.ID(), "addr": addrs[ws], "addrs": addrs, "pid": os.Getpid()})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		go obey(ctx, h, topics, scores, lines.Text(), &out)
	}
	return lines.Err()
}
