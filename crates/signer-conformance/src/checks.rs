//! The rules, each a function that panics where one does not hold.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use soticket_core::{Signature, SignerErrorKind, TokenSigner};
use tokio::task::JoinSet;

use crate::key::TestKey;
use crate::message::Message;
use crate::verify::verifies;
use crate::{Subject, block_on};

/// Messages of no, few and many bytes are signed; RSA signatures are OpenSSL's own bytes, since there is only one for
/// each message.
pub async fn signatures_verify_and_are_openssls(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        for message in Message::ALL {
            let bytes = message.bytes();
            let signature = signer.sign(&bytes).await.unwrap();
            assert!(signer.key_info().public_key().verify(&bytes, &signature).is_ok(), "{key}, {message:?}");
            assert!(verifies(key, &bytes, &signature), "{key}, {message:?}: by another library");
            if let Some(expected) = key.openssls_signature(message) {
                assert_eq!(signature.as_bytes(), expected, "{key}, {message:?}");
            }
        }
    }
}

/// A signature is over its own message only.
pub async fn another_message_does_not_verify(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let signature = signer.sign(b"a message").await.unwrap();
        assert!(signer.key_info().public_key().verify(b"another", &signature).is_err(), "{key}");
        assert!(!verifies(key, b"another", &signature), "{key}");
    }
}

/// Sixty-four callers at once get a signature over their own message each.
pub async fn many_at_once_each_get_their_own(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let mut callers = JoinSet::new();
        for number in 0..64_u32 {
            let signer = Arc::clone(&signer);
            callers.spawn(async move { (number, signer.sign(&number.to_be_bytes()).await.unwrap()) });
        }
        let signatures = callers.join_all().await;
        assert_eq!(signatures.len(), 64);
        for (number, signature) in signatures {
            assert!(verifies(key, &number.to_be_bytes(), &signature), "{key}, caller {number}");
        }
    }
}

/// Callers that stop waiting, at any moment, cost nobody else a signature.
pub async fn callers_that_give_up_harm_nobody(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        for round in 0..3_u8 {
            let mut impatient = JoinSet::new();
            for number in 0..64_u64 {
                let signer = Arc::clone(&signer);
                impatient.spawn(async move {
                    let patience = Duration::from_micros(number * number);
                    // Some get their signature, some do not: both is right.
                    let _ = tokio::time::timeout(patience, signer.sign(b"never mind")).await;
                });
            }
            tokio::task::yield_now().await;
            if round == 0 {
                impatient.abort_all();
            }
            while impatient.join_next().await.is_some() {}
            let signature = signer.sign(&[round]).await.unwrap();
            assert!(verifies(key, &[round], &signature), "{key}, round {round}");
        }
    }
}

/// While it signs, the other tasks of a single-threaded executor go on, unless signing is a matter of moments.
pub async fn the_executor_goes_on(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let runs = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(ticks_while_signing(&signer))
        });
        let (ticks, time) = runs.await.unwrap();
        assert!(time < A_MOMENT + PAUSE * ticks, "{key}: of {time:?}, others had {ticks} chances to run");
    }
}

async fn ticks_while_signing(signer: &Arc<dyn TokenSigner>) -> (u32, Duration) {
    let start = tokio::time::Instant::now();
    let mut signing = JoinSet::new();
    for _ in 0..8 {
        let signer = Arc::clone(signer);
        signing.spawn(async move { signer.sign(b"tick").await.unwrap() });
    }
    let mut ticks = 0;
    let mut clock = tokio::time::interval(Duration::from_millis(1));
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    clock.tick().await;
    while !signing.is_empty() {
        tokio::select! {
            _ = signing.join_next() => {}
            _ = clock.tick() => ticks += 1,
        }
    }
    (ticks, start.elapsed())
}

/// It may be shared among threads, each with an executor of its own, and be called through references and boxes.
pub async fn any_thread_may_sign(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let threads: Vec<_> = (0..8_u8)
            .map(|number| {
                let signer: Box<dyn TokenSigner> = Box::new(Arc::clone(&signer));
                std::thread::spawn(move || {
                    block_on(async {
                        let signature: Signature = signer.sign(&[number]).await.unwrap();
                        assert!(verifies(key, &[number], &signature), "{key}, thread {number}");
                    });
                })
            })
            .collect();
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok()));
        assert!(joined.await.unwrap(), "{key}: a thread failed");
    }
}

/// What it says of its key is so, and stays so.
pub async fn key_info_is_true_and_does_not_change(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let before = format!("{:?}", signer.key_info());
        signer.sign(b"anything").await.unwrap();
        let info = signer.key_info();
        assert_eq!(format!("{info:?}"), before, "{key}");
        assert_eq!(info.public_key(), &key.public_key(), "{key}");
        assert_eq!(info.algorithm(), key.public_key().algorithm(), "{key}");
        for told in [info.label(), info.location(), info.backend()] {
            assert!(!told.trim().is_empty(), "{key}: {info:?}");
        }
    }
}

/// Neither the signer nor what it tells of its key shows a secret.
pub async fn nothing_secret_shows(subject: &dyn Subject) {
    for (key, signer) in signers(subject).await {
        let signature = signer.sign(b"a message").await.unwrap();
        let shown =
            format!("{signer:?} {signer:#?} {:?} {} {signature:?}", signer.key_info(), signer.key_info());
        for secret in secrets(subject, key) {
            assert!(!shown.contains(&secret), "{key}: a secret shows in {shown}");
        }
        assert!(!shown.contains(&signature.to_base64()), "{key}: a signature is a credential");
    }
}

/// A key that is not there is an error that says who must act, and that trying again does not help.
pub async fn a_missing_key_is_told_of(subject: &dyn Subject) {
    let error = match subject.open_missing().await {
        Ok(signer) => panic!("a key that is not there was opened: {}", signer.key_info()),
        Err(error) => error,
    };
    let kinds = [SignerErrorKind::Key, SignerErrorKind::Configuration];
    assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
    assert!(!error.is_retryable(), "{error}");
    let message = error.to_string();
    assert!(!message.is_empty() && !message.ends_with('.'), "{message}");
    assert!(!message.starts_with(char::is_uppercase), "{message}");
    let first: &dyn StdError = &error;
    let chain = std::iter::successors(Some(first), |error| (*error).source());
    let shown: String = chain.map(|error| format!("{error} {error:?}\n")).collect();
    for secret in subject.secrets() {
        assert!(!shown.contains(&secret), "a secret shows in {shown}");
    }
}

async fn signers(subject: &dyn Subject) -> Vec<(TestKey, Arc<dyn TokenSigner>)> {
    let mut signers = Vec::new();
    for key in subject.keys() {
        signers.push((key, subject.open(key).await.unwrap_or_else(|error| panic!("{key}: {error:?}"))));
    }
    assert!(!signers.is_empty(), "the backend has no key of the suite");
    signers
}

/// The lines of the private key's PEM, and what the backend adds.
fn secrets(subject: &dyn Subject, key: TestKey) -> Vec<String> {
    let lines = key.private_pem().lines().filter(|line| !line.starts_with('-') && line.len() > SHORT_LINE);
    lines.map(str::to_owned).chain(subject.secrets()).collect()
}

/// How long other tasks may have to wait, on average, before it counts as blocking: a key in memory is used in less.
const PAUSE: Duration = Duration::from_millis(20);
/// What no other task needs to run within.
const A_MOMENT: Duration = Duration::from_millis(50);
/// The last line of a PEM block may be short enough to stand in a text by chance.
const SHORT_LINE: usize = 16;
