//! The swarm: transports, protocols and the limits of the relay.
use std::time::Duration;

use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, gossipsub, identify, identity, kad, noise, ping, relay,
    rendezvous, swarm::NetworkBehaviour, tcp, yamux,
};
use libp2p_webrtc::tokio as webrtc;
use serde::Deserialize;

use crate::Failure;

/// A network of the tests' own.
pub const KAD: &str = "/peerlet-test/kad/1.0.0";

#[derive(NetworkBehaviour)]
pub struct Node {
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub gossipsub: gossipsub::Behaviour,
    pub relay: relay::Behaviour,
    pub client: relay::client::Behaviour,
    pub kad: kad::Behaviour<kad::store::MemoryStore>,
    pub rendezvous: rendezvous::server::Behaviour,
    pub streams: libp2p_stream::Behaviour,
}

/// The names js-libp2p gives them. This relay always limits the time of a circuit, so a circuit
/// without the standard limits has a day and any number of bytes.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Limits {
    max_reservations: usize,
    reservation_ttl: u64, // ms
    apply_default_limit: bool,
    default_duration_limit: u64, // ms
    default_data_limit: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_reservations: 1000,
            reservation_ttl: 2 * 3600 * 1000,
            apply_default_limit: true,
            default_duration_limit: 120_000,
            default_data_limit: 1 << 17,
        }
    }
}

impl From<Limits> for relay::Config {
    fn from(l: Limits) -> Self {
        let limited = l.apply_default_limit;
        relay::Config {
            max_reservations: l.max_reservations,
            reservation_duration: Duration::from_millis(l.reservation_ttl),
            reservation_rate_limiters: Vec::new(),
            max_circuits: 1000,
            max_circuits_per_peer: 1000,
            max_circuit_duration: Duration::from_millis(if limited {
                l.default_duration_limit
            } else {
                86_400_000
            }),
            max_circuit_bytes: if limited { l.default_data_limit } else { 0 },
            circuit_src_rate_limiters: Vec::new(),
            ..Default::default()
        }
    }
}

/// With a seed of 64 hexadecimal digits the peer can die and come back as the same one.
fn identity(seed: &str) -> Result<identity::Keypair, Failure> {
    if seed.is_empty() {
        return Ok(identity::Keypair::generate_ed25519());
    }
    Ok(identity::Keypair::ed25519_from_bytes(hex::decode(seed)?)?)
}

/// js-libp2p's weights of what is wrong; nothing is good enough to make up for it, and all of the
/// tests' peers have one address.
fn scored(mut gossipsub: gossipsub::Behaviour) -> Result<gossipsub::Behaviour, Failure> {
    let params = gossipsub::PeerScoreParams {
        ip_colocation_factor_weight: 0.0,
        ..Default::default()
    };
    gossipsub.with_peer_score(params, gossipsub::PeerScoreThresholds::default())?;
    Ok(gossipsub)
}

pub async fn build(seed: &str, limits: Limits) -> Result<Swarm<Node>, Failure> {
    let swarm = SwarmBuilder::with_existing_identity(identity(seed)?)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )?
        .with_other_transport(|key| {
            let certificate = webrtc::Certificate::generate(&mut rand::rng())?;
            Ok::<_, Failure>(webrtc::Transport::new(key.clone(), certificate))
        })?
        .with_dns()?
        .with_websocket(noise::Config::new, yamux::Config::default)
        .await?
        .with_relay_client(noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key, client| {
            let own = key.public().to_peer_id();
            let about = identify::Config::new("ipfs/0.1.0".into(), key.public())
                .with_agent_version("rust-libp2p".into());
            let mut network = kad::Behaviour::with_config(
                own,
                kad::store::MemoryStore::new(own),
                kad::Config::new(StreamProtocol::new(KAD)),
            );
            network.set_mode(Some(kad::Mode::Server));
            let authenticity = gossipsub::MessageAuthenticity::Signed(key.clone());
            Ok::<_, Failure>(Node {
                identify: identify::Behaviour::new(about),
                ping: ping::Behaviour::default(),
                gossipsub: scored(gossipsub::Behaviour::new(authenticity, gossipsub::Config::default())?)?,
                relay: relay::Behaviour::new(own, limits.into()),
                client,
                kad: network,
                rendezvous: rendezvous::server::Behaviour::new(rendezvous::server::Config::default()),
                streams: libp2p_stream::Behaviour::new(),
            })
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(3600)))
        .build();
    Ok(swarm)
}
