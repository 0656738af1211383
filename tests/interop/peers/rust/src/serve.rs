//! The protocols that the tests and benchmarks speak, as tests/bench/protocols.js has them.
use std::io;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use sha2::{Digest, Sha256};

use crate::Failure;

const ECHO: &str = "/echo/1.0.0";
const CHUNK: usize = 1 << 16;

async fn echo(s: &mut Stream) -> io::Result<()> {
    let mut bytes = vec![0; CHUNK];
    loop {
        let n = s.read(&mut bytes).await?;
        if n == 0 {
            return Ok(());
        }
        s.write_all(&bytes[..n]).await?;
        s.flush().await?;
    }
}

async fn swallow(s: &mut Stream) -> io::Result<u64> {
    let mut bytes = vec![0; CHUNK];
    let mut count = 0;
    loop {
        let n = s.read(&mut bytes).await?;
        if n == 0 {
            return Ok(count);
        }
        count += n as u64;
    }
}

async fn pour(s: &mut Stream, mut total: u64, chunk: usize) -> io::Result<()> {
    let bytes: Vec<u8> = (0..chunk.max(1)).map(|i| i as u8).collect();
    while total > 0 {
        let n = total.min(bytes.len() as u64);
        s.write_all(&bytes[..n as usize]).await?;
        total -= n;
    }
    Ok(())
}

/// Reads to the end, then answers with the count: 8 bytes, big endian.
async fn sink(s: &mut Stream) -> io::Result<()> {
    let count = swallow(s).await?;
    s.write_all(&count.to_be_bytes()).await
}

/// Reads how much, 8 bytes, and in what chunks, 4 bytes; sends that.
async fn source(s: &mut Stream) -> io::Result<()> {
    let (mut total, mut chunk) = ([0; 8], [0; 4]);
    s.read_exact(&mut total).await?;
    s.read_exact(&mut chunk).await?;
    pour(
        s,
        u64::from_be_bytes(total),
        (u32::from_be_bytes(chunk) as usize).min(1 << 20),
    )
    .await
}

/// `/perf/1.0.0`: 8 bytes say how much comes back once the upload has ended.
async fn perf(s: &mut Stream) -> io::Result<()> {
    let mut total = [0; 8];
    s.read_exact(&mut total).await?;
    swallow(s).await?;
    pour(s, u64::from_be_bytes(total), CHUNK).await
}

async fn answer(protocol: &str, s: &mut Stream) -> io::Result<()> {
    match protocol {
        "/bench/sink/1" => sink(s).await,
        "/bench/source/1" => source(s).await,
        "/perf/1.0.0" => perf(s).await,
        _ => echo(s).await,
    }
}

pub fn serve(mut control: Control) -> Result<(), Failure> {
    for protocol in [
        ECHO,
        "/bench/echo/1",
        "/bench/sink/1",
        "/bench/source/1",
        "/perf/1.0.0",
    ] {
        let mut incoming = control
            .accept(StreamProtocol::new(protocol))
            .map_err(|_| "accepted twice")?;
        tokio::spawn(async move {
            while let Some((_, mut s)) = incoming.next().await {
                tokio::spawn(async move {
                    // one that fails is dropped, which resets it
                    match answer(protocol, &mut s).await {
                        Ok(()) => drop(s.close().await),
                        Err(why) => eprintln!("{protocol}: {why}"),
                    }
                });
            }
        });
    }
    Ok(())
}

/// How many random bytes came back unchanged, which is all or an error.
pub async fn echo_through(mut control: Control, peer: PeerId, length: usize) -> Result<u64, Failure> {
    let stream = control.open_stream(peer, StreamProtocol::new(ECHO)).await?;
    let mut sent = vec![0; length];
    rand::fill(&mut sent[..]);
    let (mut reading, mut writing) = stream.split();
    let write = async {
        writing.write_all(&sent).await?;
        writing.close().await
    };
    let read = async {
        let (mut hash, mut count, mut bytes) = (Sha256::new(), 0, vec![0; CHUNK]);
        while count < length as u64 {
            let n = reading.read(&mut bytes).await?;
            if n == 0 {
                break;
            }
            hash.update(&bytes[..n]);
            count += n as u64;
        }
        Ok((hash.finalize(), count))
    };
    let ((), (hash, count)) = future::try_join(write, read).await?;
    if hash != Sha256::digest(&sent) {
        return Err(format!("echo: {count} of {length} bytes came back, changed").into());
    }
    Ok(count)
}
