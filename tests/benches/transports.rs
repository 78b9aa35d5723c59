//! A whole exchange over REST and over SOAP, in turns against the same emulator on loopback.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and stops at the first surprise"
)]

use std::time::{Duration, Instant};

use soticket::pem::{KeySource, PemSigner};
use soticket::{RetryPolicy, SystemUserClient, Tenant, Transport};
use soticket_emulator::{Config, Emulator, Sample};
use soticket_tests::median;
use tokio::task::JoinSet;

/// What a user of the chore may name, or a part of it.
const NAME: &str = "transports";
/// How many rounds there are, each of which measures both, and exchanges in each of them; medians count.
const ROUNDS: usize = 41;
const EXCHANGES: usize = 32;
/// How many are asked for at once.
const AT_ONCE: [usize; 2] = [1, 16];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    if arguments.peek().is_none() || arguments.any(|part| NAME.contains(part.as_str())) {
        // The service has threads of its own, as in another process.
        let service = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sample(folder.path().join("partner.xml")).unwrap();
        let emulator = service.block_on(Emulator::builder().with_config(config).start()).unwrap();
        let signer = PemSigner::builder(KeySource::file(folder.path().join("partner.xml"))).build().unwrap();
        let signer = std::sync::Arc::new(signer);
        let client = |transport| {
            let secret = Sample::CLIENT_SECRET.parse().unwrap();
            let builder = SystemUserClient::builder(
                emulator.url().parse().unwrap(),
                secret,
                std::sync::Arc::clone(&signer),
            );
            builder.with_transport(transport).with_retry_policy(RetryPolicy::never()).build().unwrap()
        };
        let clients = [client(Transport::Rest), client(Transport::Soap)];
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(measure(&clients));
    }
}

async fn measure(clients: &[SystemUserClient; 2]) {
    println!("exchanges, latency (median of {ROUNDS} medians of {EXCHANGES})");
    println!("{:>8} {:>10} {:>10}   SOAP to REST", "at once", "REST", "SOAP");
    for at_once in AT_ONCE {
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let mut times = [Duration::ZERO; 2];
            for way in [round % 2, (round + 1) % 2] {
                times[way] = latency(&clients[way], at_once).await;
            }
            // The first one makes the connections.
            if round > 0 {
                rounds.push(times.map(|time| time.as_secs_f64() * 1e3));
            }
        }
        let [rest, soap] = [0, 1].map(|way| median(rounds.iter().map(|times| times[way]).collect()));
        let ratio = median(rounds.iter().map(|[rest, soap]| soap / rest).collect());
        println!("{at_once:>8} {rest:>7.2} ms {soap:>7.2} ms   {ratio:.3}");
    }
}

/// The median time of an exchange, with so many under way at once.
async fn latency(client: &SystemUserClient, at_once: usize) -> Duration {
    let callers = (0..at_once).map(|_| times(client.clone(), EXCHANGES / at_once));
    let mut times = callers.collect::<JoinSet<_>>().join_all().await.concat();
    times.sort();
    times[times.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn times(client: SystemUserClient, exchanges: usize) -> Vec<Duration> {
    let tenant = Tenant::new(Sample::CONTEXT.parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap());
    let mut times = Vec::with_capacity(exchanges);
    for _ in 0..exchanges {
        let start = Instant::now();
        client.ticket(&tenant).await.unwrap();
        times.push(start.elapsed());
    }
    times
}
