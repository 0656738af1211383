//! A rust-libp2p peer for the tests: circuit relay, gossipsub router, echo and perf server, over
//! WebSocket, TCP and WebRTC Direct on loopback.
//!
//! Lines and settings are those of the go peer, see ../../go/main.go and ../../go/command.go.
mod node;
mod serve;

use std::{
    collections::HashMap,
    env,
    error::Error,
    time::{Duration, Instant},
};

use futures::StreamExt;
use libp2p::{Multiaddr, PeerId, Swarm, gossipsub, identify, multiaddr::Protocol, relay, swarm::SwarmEvent};
use node::{Node, NodeEvent};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::mpsc,
};

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize)]
struct Request {
    id: u64,
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    addr: String,
    #[serde(default)]
    bytes: usize,
}

/// What is known so far of a peer that is being visited.
struct Visit {
    id: u64,
    bytes: usize,
    started: Instant,
    dialled: Option<Duration>,
    identified: Option<(String, Vec<String>)>,
    ping: Option<Duration>,
}

/// The lowest score of each peer, looked at once a second.
#[derive(Default)]
struct Scores {
    lowest: HashMap<PeerId, f64>,
    count: u64,
}

struct Peer {
    swarm: Swarm<Node>,
    scores: Scores,
    visits: HashMap<PeerId, Visit>,
    reserving: HashMap<PeerId, u64>,
}

fn setting(name: &str, standard: &str) -> String {
    env::var(name).unwrap_or_else(|_| standard.to_owned())
}

fn say(what: Value) {
    println!("{what}");
}

fn milliseconds(d: Duration) -> f64 {
    d.as_micros() as f64 / 1000.0
}

fn answer(id: u64, result: Result<Value, Failure>) {
    let mut line = result.unwrap_or_else(|err| json!({ "error": err.to_string() }));
    line["id"] = id.into();
    say(line);
}

fn last_peer(addr: &Multiaddr) -> Result<PeerId, Failure> {
    match addr.iter().last() {
        Some(Protocol::P2p(id)) => Ok(id),
        _ => Err(format!("{addr} names no peer").into()),
    }
}

impl Peer {
    /// Starts what was asked for; answers at once unless events decide.
    fn obey(&mut self, r: &Request) -> Result<Option<Value>, Failure> {
        match r.what.as_str() {
            "publish" => {
                let topic = gossipsub::IdentTopic::new(&r.topic);
                self.swarm
                    .behaviour_mut()
                    .gossipsub
                    .publish(topic, r.text.as_bytes())?;
                Ok(Some(json!({})))
            }
            "score" => {
                let score = self.scores.lowest.get(&r.text.parse()?).unwrap_or(&0.0);
                Ok(Some(json!({ "score": score, "count": self.scores.count })))
            }
            "reserve" => {
                let addr: Multiaddr = r.addr.parse()?;
                self.reserving.insert(last_peer(&addr)?, r.id);
                self.swarm.listen_on(addr.with(Protocol::P2pCircuit))?;
                Ok(None)
            }
            "visit" => {
                let addr: Multiaddr = r.addr.parse()?;
                let (started, bytes, id) = (Instant::now(), r.bytes, r.id);
                let visit = Visit {
                    id,
                    bytes,
                    started,
                    dialled: None,
                    identified: None,
                    ping: None,
                };
                self.visits.insert(last_peer(&addr)?, visit);
                self.swarm.dial(addr)?;
                Ok(None)
            }
            other => Err(format!("no such command: {other}").into()),
        }
    }

    fn keep_scores(&mut self) {
        let gossipsub = &self.swarm.behaviour().gossipsub;
        for (peer, _) in gossipsub.all_peers() {
            let lowest = self.scores.lowest.entry(*peer).or_default();
            *lowest = lowest.min(gossipsub.peer_score(peer).unwrap_or_default());
        }
        self.scores.count += 1;
    }

    /// Echoes through a visited peer as soon as the rest of it is known.
    fn finish(&mut self, peer: PeerId) {
        let Some(v) = self.visits.get(&peer) else { return };
        let (Some(dialled), Some((agent, protocols)), Some(ping)) = (v.dialled, v.identified.clone(), v.ping)
        else {
            return;
        };
        let (id, bytes) = (v.id, v.bytes);
        self.visits.remove(&peer);
        let control = self.swarm.behaviour().streams.new_control();
        tokio::spawn(async move {
            let result = serve::echo_through(control, peer, bytes).await;
            answer(
                id,
                result.map(|echoed| {
                    json!({
                        "peerId": peer.to_string(), "agent": agent, "protocols": protocols, "echoed": echoed,
                        "dialMs": milliseconds(dialled), "pingMs": milliseconds(ping),
                    })
                }),
            );
        });
    }

    fn on_event(&mut self, event: SwarmEvent<NodeEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, .. } => {
                if let Some(v) = self.visits.get_mut(&peer_id) {
                    v.dialled.get_or_insert(v.started.elapsed());
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => {
                if let Some(v) = self.visits.remove(&peer) {
                    answer(v.id, Err(format!("dial: {error:?}").into()));
                }
                if let Some(id) = self.reserving.remove(&peer) {
                    answer(id, Err(format!("dial: {error:?}").into()));
                }
            }
            SwarmEvent::ListenerClosed { reason: Err(err), .. } => {
                for (_, id) in self.reserving.drain() {
                    answer(id, Err(format!("reserve: {err}").into()));
                }
            }
            SwarmEvent::Behaviour(NodeEvent::Client(relay::client::Event::ReservationReqAccepted {
                relay_peer_id,
                ..
            })) => {
                if let Some(id) = self.reserving.remove(&relay_peer_id) {
                    answer(id, Ok(json!({})));
                }
            }
            SwarmEvent::Behaviour(NodeEvent::Identify(identify::Event::Received {
                peer_id, info, ..
            })) => {
                // a server of our Kademlia network is one that lists the protocol
                if info.protocols.iter().any(|protocol| protocol.as_ref() == node::KAD) {
                    for addr in info.listen_addrs {
                        self.swarm.behaviour_mut().kad.add_address(&peer_id, addr);
                    }
                }
                if let Some(v) = self.visits.get_mut(&peer_id) {
                    let protocols = info.protocols.iter().map(ToString::to_string).collect();
                    v.identified = Some((info.agent_version, protocols));
                }
                self.finish(peer_id);
            }
            SwarmEvent::Behaviour(NodeEvent::Ping(ping)) => {
                if let (Some(v), Ok(rtt)) = (self.visits.get_mut(&ping.peer), ping.result) {
                    v.ping = Some(rtt);
                }
                self.finish(ping.peer);
            }
            SwarmEvent::Behaviour(NodeEvent::Gossipsub(gossipsub::Event::Message { message, .. })) => {
                say(json!({
                    "heard": {
                        "topic": message.topic.as_str(),
                        "from": message.source.map(|id| id.to_string()),
                        "text": String::from_utf8_lossy(&message.data),
                    }
                }))
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let limits = serde_json::from_str(&setting("RELAY_LIMITS", "{}"))?;
    let mut swarm = node::build(&setting("RELAY_SEED", ""), limits).await?;
    let own = *swarm.local_peer_id();
    for topic in setting(
        "RELAY_TOPICS",
        "browser-peer-discovery,_peer-discovery._p2p._pubsub",
    )
    .split(',')
    {
        swarm
            .behaviour_mut()
            .gossipsub
            .subscribe(&gossipsub::IdentTopic::new(topic))?;
    }
    serve::serve(swarm.behaviour().streams.new_control())?;

    let at = format!("/ip4/{}", setting("RELAY_HOST", "127.0.0.1"));
    let listen = [
        format!("{at}/tcp/{}/ws", setting("RELAY_PORT", "0")),
        format!("{at}/tcp/0"),
        format!("{at}/udp/{}/webrtc-direct", setting("RELAY_UDP_PORT", "0")),
    ];
    for addr in &listen {
        swarm.listen_on(addr.parse()?)?;
    }
    let mut addrs = Vec::new();
    while addrs.len() < listen.len() {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { address, .. } => {
                // without one the relay would refuse reservations
                swarm.add_external_address(address.clone());
                addrs.push(format!("{address}/p2p/{own}"));
            }
            SwarmEvent::ListenerClosed { reason: Err(err), .. } => return Err(err.into()),
            _ => {}
        }
    }
    let ws = addrs.iter().find(|addr| addr.contains("/ws/"));
    say(json!({ "peerId": own.to_string(), "addr": ws, "addrs": addrs, "pid": std::process::id() }));

    let (commands, mut asked) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if commands.send(line).await.is_err() {
                break;
            }
        }
    });
    let mut peer = Peer {
        swarm,
        scores: Scores::default(),
        visits: HashMap::new(),
        reserving: HashMap::new(),
    };
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = seconds.tick() => peer.keep_scores(),
            line = asked.recv() => {
                let Some(line) = line else { std::process::exit(0) };
                let request: Request = serde_json::from_str(&line)?;
                match peer.obey(&request) {
                    Ok(None) => {}
                    Ok(Some(value)) => answer(request.id, Ok(value)),
                    Err(err) => answer(request.id, Err(err)),
                }
            }
            event = peer.swarm.select_next_some() => peer.on_event(event),
        }
    }
}
