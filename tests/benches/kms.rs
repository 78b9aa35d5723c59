//! Signatures by AWS KMS: through the signer, beside the bare `sign()` of the SDK, on the same stand-in in the same run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures, and stops at the first surprise"
)]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use soticket::aws_kms::aws_sdk_kms::Client;
use soticket::aws_kms::aws_sdk_kms::config::{BehaviorVersion, Config, Credentials, Region};
use soticket::aws_kms::aws_sdk_kms::primitives::Blob;
use soticket::aws_kms::aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};
use soticket::aws_kms::{AwsKmsSigner, Verification};
use soticket::{PublicKey, Signature, TokenSigner as _};
use soticket_tests::median;
use tokio::task::JoinSet;

/// What a user of the chore may name, or a part of it.
const NAME: &str = "kms";
/// How many rounds there are, each of which measures every way to sign, and what each signs in it; medians count.
const ROUNDS: usize = 31;
const SIGNATURES: usize = 320;
/// How many are asked for at once.
const AT_ONCE: [usize; 2] = [1, 32];
/// As long as the message of a signed system token, and a digest, which costs the bare call no hashing.
const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231559";
const DIGEST: [u8; 32] = [7; 32];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    if arguments.peek().is_none() || arguments.any(|part| NAME.contains(part.as_str())) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(measure());
    }
}

async fn measure() {
    println!("KMS stand-in, latency of a signature (median of {ROUNDS} medians of {SIGNATURES})");
    println!("{:>10} {:>8} {:>10} {:>10} {:>10}   to bare", "key", "at once", "bare", "unverified", "signer");
    let client = client();
    for (spec, signing) in [
        (KeySpec::Rsa2048, SigningAlgorithmSpec::RsassaPkcs1V15Sha256),
        (KeySpec::EccNistP256, SigningAlgorithmSpec::EcdsaSha256),
    ] {
        for at_once in AT_ONCE {
            let contest = Contest::new(&client, &spec, &signing, at_once).await;
            let mut rounds = Vec::new();
            for round in 0..=ROUNDS {
                let times = contest.round(round, at_once).await;
                // The first one makes the connections.
                if round > 0 {
                    rounds.push(times);
                }
            }
            let of = |value: &dyn Fn(&[Duration; 3]) -> f64| median(rounds.iter().map(value).collect());
            let [bare, unverified, signer] = [0, 1, 2].map(|way| of(&|times| times[way].as_secs_f64() * 1e6));
            let [without, with] =
                [1, 2].map(|way| of(&|times| times[way].as_secs_f64() / times[0].as_secs_f64()));
            println!(
                "{spec:>10} {at_once:>8} {bare:>7.0} µs {unverified:>7.0} µs {signer:>7.0} µs   unverified {without:.3}, \
                 signer {with:.3}"
            );
        }
    }
}

/// The ways to sign with one key.
struct Contest {
    bare: Client,
    arn: String,
    signing: SigningAlgorithmSpec,
    signers: [AwsKmsSigner; 2],
}

impl Contest {
    async fn new(
        client: &Client,
        spec: &KeySpec,
        signing: &SigningAlgorithmSpec,
        at_once: usize,
    ) -> Arc<Self> {
        let request = client.create_key().key_spec(spec.clone()).key_usage(KeyUsageType::SignVerify);
        let arn = request.send().await.unwrap().key_metadata().unwrap().arn().unwrap().to_owned();
        let signer = async |verification| {
            let builder = AwsKmsSigner::builder(client.clone(), arn.parse().unwrap());
            let builder = builder.with_concurrency(NonZeroUsize::new(at_once).unwrap());
            builder.with_verification(verification).build().await.unwrap()
        };
        let signers = [signer(Verification::Never).await, signer(Verification::Each).await];
        let this = Self { bare: client.clone(), arn, signing: signing.clone(), signers };
        this.assert_bare_signs(this.signers[0].key_info().public_key()).await;
        Arc::new(this)
    }

    /// The median latency of each way. They begin in turns, since what else the machine does changes.
    async fn round(self: &Arc<Self>, round: usize, at_once: usize) -> [Duration; 3] {
        let mut medians = [Duration::ZERO; 3];
        for way in (0..3).map(|place| (place + round) % 3) {
            let signers = (0..at_once).map(|_| Arc::clone(self).times(way, SIGNATURES / at_once));
            let mut times = signers.collect::<JoinSet<_>>().join_all().await.concat();
            times.sort();
            medians[way] = times[times.len() / 2];
        }
        medians
    }

    /// How long each of some signatures takes, one after another.
    #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
    async fn times(self: Arc<Self>, way: usize, signatures: usize) -> Vec<Duration> {
        let mut times = Vec::with_capacity(signatures);
        for _ in 0..signatures {
            let start = Instant::now();
            match way {
                0 => _ = self.sign_bare().await,
                way => _ = self.signers[way - 1].sign(MESSAGE).await.unwrap(),
            }
            times.push(start.elapsed());
        }
        times
    }

    async fn sign_bare(&self) -> Vec<u8> {
        let request = self.bare.sign().key_id(&self.arn).message(Blob::new(DIGEST));
        let request = request.message_type(MessageType::Digest).signing_algorithm(self.signing.clone());
        request.send().await.unwrap().signature.unwrap().into_inner()
    }

    /// A stand-in that is quick because it does something else would measure nothing.
    async fn assert_bare_signs(&self, key: &PublicKey) {
        if self.signing == SigningAlgorithmSpec::RsassaPkcs1V15Sha256 {
            let signature = Signature::from_bytes(self.sign_bare().await);
            key.verify_sha256(&DIGEST, &signature).unwrap();
        }
    }
}

fn client() -> Client {
    let url = std::env::var("SOTICKET_TEST_KMS")
        .expect("SOTICKET_TEST_KMS is not set: run `cargo xtask bench kms`");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"));
    Client::from_conf(config.build())
}
