//! A stand-in of AWS KMS on loopback with one key, which fails as it is told: the whole of the SDK's HTTP is in play.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use pkcs8::DecodePrivateKey as _;
use rsa::signature::SignatureEncoding as _;
use serde_json::{Value, json};
use soticket_signer_conformance::TestKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(crate) const OTHER_ARN: &str =
    "arn:aws:kms:eu-central-1:111122223333:key/ffffffff-12ab-34cd-56ef-1234567890ab";
pub(crate) const REQUEST_ID: &str = "7a1f0d9e-0000-4000-8000-5e0c0ffee000";

/// How a request is answered; what is not told is answered truly.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// The service's own error.
    Code(u16, &'static str),
    /// The same, in many words.
    Saying(u16, &'static str, String),
    /// A page of HTML, as a proxy answers.
    Page(u16),
    /// Nothing, for ever.
    Hang,
    /// The connection is closed.
    Drop,
    /// Half of the true answer.
    Truncated,
    /// The true answer, a little later.
    After(Duration),
    /// The true answer with a field changed, or taken out.
    With(&'static str, Value),
    /// A signature by another key.
    ByAnotherKey,
    /// A signature over the digest's digest, as of a service that overlooks `MessageType`.
    HashedTwice,
}

#[derive(Debug)]
pub(crate) struct FaultServer {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    key: TestKey,
    answers: Mutex<HashMap<&'static str, VecDeque<Answer>>>,
    /// What was called, and with what.
    requests: Mutex<Vec<(String, Value)>>,
    /// Requests to sign that are being answered, and the most that ever were.
    at_once: Mutex<(usize, usize)>,
}

impl FaultServer {
    pub(crate) async fn start(key: TestKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answers, requests, at_once) = (Mutex::default(), Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { key, answers, requests, at_once });
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&own);
                tokio::spawn(async move { shared.serve(stream).await });
            }
        });
        Self { url, shared, task }
    }

    /// The answers to the next calls of `operation`.
    pub(crate) fn answer(&self, operation: &'static str, answers: impl IntoIterator<Item = Answer>) {
        self.shared.answers.lock().unwrap().insert(operation, answers.into_iter().collect());
    }

    /// How often `operation` was asked for.
    pub(crate) fn count(&self, operation: &str) -> usize {
        self.requests(operation).len()
    }

    /// What `operation` was asked with, each time.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let requests = self.shared.requests.lock().unwrap();
        let of_it = requests.iter().filter(|(target, _)| target.ends_with(operation));
        of_it.map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.at_once.lock().unwrap().1
    }
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// One connection, one request after another.
    async fn serve(&self, mut stream: TcpStream) {
        while let Some((target, body)) = read(&mut stream).await {
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            self.requests.lock().unwrap().push((target, body.clone()));
            let counted = operation == "Sign";
            if counted {
                let mut at_once = self.at_once.lock().unwrap();
                at_once.0 += 1;
                at_once.1 = at_once.1.max(at_once.0);
            }
            let goes_on = self.respond(&mut stream, &operation, &body).await;
            if counted {
                self.at_once.lock().unwrap().0 -= 1;
            }
            if !goes_on {
                return;
            }
        }
    }

    /// Whether the connection is still good afterwards.
    async fn respond(&self, stream: &mut TcpStream, operation: &str, request: &Value) -> bool {
        let answer = self.answers.lock().unwrap().get_mut(operation).and_then(VecDeque::pop_front);
        let mut truth = self.truth(operation, request);
        match answer {
            Some(Answer::Code(status, code)) => {
                truth = json!({ "__type": code, "message": "as the test wants it" });
                return send(stream, status, JSON, truth.to_string().as_bytes()).await;
            }
            Some(Answer::Saying(status, code, message)) => {
                truth = json!({ "__type": code, "message": message });
                return send(stream, status, JSON, truth.to_string().as_bytes()).await;
            }
            Some(Answer::Page(status)) => {
                return send(stream, status, "text/html", b"<html>hunter2</html>").await;
            }
            Some(Answer::Hang) => std::future::pending().await,
            Some(Answer::Drop) => return false,
            Some(Answer::Truncated) => {
                let (text, head) = (truth.to_string(), head(200, JSON, truth.to_string().len()));
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&text.as_bytes()[..text.len() / 2]).await;
                return false;
            }
            Some(Answer::After(pause)) => tokio::time::sleep(pause).await,
            Some(Answer::With(field, value)) => truth[field] = value,
            Some(Answer::ByAnotherKey) => {
                truth["Signature"] = by_another_key(&digest_of(request));
            }
            Some(Answer::HashedTwice) => {
                use sha2::Digest as _;
                truth["Signature"] = signature(self.key, &sha2::Sha256::digest(digest_of(request)));
            }
            None => {}
        }
        send(stream, 200, JSON, truth.to_string().as_bytes()).await
    }

    fn truth(&self, operation: &str, request: &Value) -> Value {
        let (spec, algorithm) = match self.key {
            TestKey::P256 => ("ECC_NIST_P256", "ECDSA_SHA_256"),
            _ => ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
        };
        match operation {
            "GetPublicKey" => json!({
                "KeyId": ARN, "KeySpec": spec, "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": [algorithm],
                "PublicKey": BASE64_STANDARD.encode(self.key.public_key().spki_der()),
            }),
            "DescribeKey" | "CreateKey" => Value::Null,
            _ => {
                assert_eq!((&request["MessageType"], &request["KeyId"]), (&json!("DIGEST"), &json!(ARN)));
                assert_eq!(request["SigningAlgorithm"], json!(algorithm));
                json!({
                    "KeyId": ARN, "SigningAlgorithm": algorithm, "Signature": signature(self.key, &digest_of(request)),
                })
            }
        }
    }
}

/// Nobody but RustCrypto signs here.
fn signature(key: TestKey, digest: &[u8]) -> Value {
    let bytes = if key == TestKey::P256 {
        let key = p256::ecdsa::SigningKey::from_pkcs8_pem(key.private_pem()).unwrap();
        let signature: p256::ecdsa::Signature = key.sign_prehash(digest).unwrap();
        signature.to_der().as_bytes().to_vec()
    } else {
        let key = rsa::PrivateKey::from_pkcs8_pem(key.private_pem()).unwrap();
        let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key);
        key.sign_prehash(digest).unwrap().to_vec()
    };
    json!(BASE64_STANDARD.encode(bytes))
}

/// As long as the true one.
fn by_another_key(digest: &[u8]) -> Value {
    static OTHER: OnceLock<rsa::PrivateKey> = OnceLock::new();
    let key = OTHER.get_or_init(|| rsa::PrivateKey::new(&mut getrandom::SysRng, 2048).unwrap());
    let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key.clone());
    json!(BASE64_STANDARD.encode(key.sign_prehash(digest).unwrap().to_vec()))
}

fn digest_of(request: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(request["Message"].as_str().unwrap()).unwrap()
}

/// What is called, and with what; nothing when the connection ends.
async fn read(stream: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let header = |name: &str| {
        head.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
    };
    let length: usize = header("content-length")?.parse().ok()?;
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let target = match header("x-amz-target")?.as_str() {
        "trentservice.sign" => "TrentService.Sign",
        "trentservice.getpublickey" => "TrentService.GetPublicKey",
        // Of an import, only failures.
        "trentservice.describekey" => "TrentService.DescribeKey",
        "trentservice.createkey" => "TrentService.CreateKey",
        other => panic!("{other} is not expected"),
    };
    Some((target.to_owned(), serde_json::from_slice(&bytes[end..]).unwrap()))
}

async fn send(stream: &mut TcpStream, status: u16, kind: &str, body: &[u8]) -> bool {
    stream.write_all(head(status, kind, body.len()).as_bytes()).await.is_ok()
        && stream.write_all(body).await.is_ok()
}

fn head(status: u16, kind: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} As Told\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
         x-amzn-requestid: {REQUEST_ID}\r\n\r\n"
    )
}

const JSON: &str = "application/x-amz-json-1.1";
