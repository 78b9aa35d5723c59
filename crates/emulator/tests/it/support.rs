//! An emulator with the sample application and a clock that stands still, and a client of it.

use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};
use soticket_emulator::{Clock, Config, Emulator, Sample};

pub(crate) struct Bench {
    pub(crate) emulator: Emulator,
    pub(crate) folder: tempfile::TempDir,
}

pub(crate) async fn bench() -> Bench {
    bench_with(|config| config).await
}

pub(crate) async fn bench_with(change: impl FnOnce(Config) -> Config) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let config = change(Config::sample(folder.path().join("key.xml")).unwrap());
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
    let emulator = Emulator::builder().with_config(config).with_clock(clock).start().await.unwrap();
    Bench { emulator, folder }
}

impl Bench {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.url())
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        reqwest::get(self.url(path)).await.unwrap().json().await.unwrap()
    }

    /// A good exchange's ticket.
    pub(crate) async fn ticket(&self) -> String {
        let answer = self.exchange(&self.signed()).await;
        let claims = self.claims(answer["Token"].as_str().unwrap()).unwrap();
        claims[claim("ticket")].as_str().unwrap().to_owned()
    }

    /// Signed by OpenSSL with the key that the sample wrote.
    pub(crate) fn signed(&self) -> String {
        self.signed_of(Sample::SYSTEM_USER_TOKEN)
    }

    pub(crate) fn signed_of(&self, system_user_token: &str) -> String {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        use rsa::pkcs8::EncodePrivateKey as _;
        let xml = std::fs::read_to_string(self.folder.path().join("key.xml")).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let number = |name: &str| {
            let node = document.descendants().find(|node| node.has_tag_name(name)).unwrap();
            rsa::BoxedUint::from_be_slice_vartime(&BASE64_STANDARD.decode(node.text().unwrap()).unwrap())
        };
        let primes = vec![number("P"), number("Q")];
        let key =
            rsa::PrivateKey::from_components(number("Modulus"), number("Exponent"), number("D"), primes)
                .unwrap();
        let (pem, text) = (self.folder.path().join("key.pem"), self.folder.path().join("text"));
        std::fs::write(&pem, key.to_pkcs8_pem(rsa::pkcs8::LineEnding::LF).unwrap().as_bytes()).unwrap();
        let message = format!("{}.{}", system_user_token, self.emulator.clock().now().strftime("%Y%m%d%H%M"));
        std::fs::write(&text, &message).unwrap();
        let output =
            Command::new("openssl").args(["dgst", "-sha256", "-sign"]).arg(&pem).arg(&text).output().unwrap();
        format!("{message}.{}", BASE64_STANDARD.encode(output.stdout))
    }

    pub(crate) async fn exchange(&self, signed: &str) -> Value {
        self.exchange_for(Sample::CONTEXT, signed).await
    }

    pub(crate) async fn exchange_for(&self, context: &str, signed: &str) -> Value {
        let body = json!({"SignedSystemToken": signed, "ApplicationToken": Sample::CLIENT_SECRET,
            "ContextIdentifier": context, "ReturnTokenType": "JWT"});
        let url = format!("{}/LOGIN/api/PartnerSystemUser/authenticate", self.emulator.url());
        reqwest::Client::new().post(url).json(&body).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn principal(&self, base: &str, ticket: &str) -> u16 {
        let request = reqwest::Client::new().get(format!("{base}/Cust12345/api/v1/User/currentPrincipal"));
        let request = request.header("Authorization", format!("SOTicket {ticket}"));
        request.header("SO-AppToken", Sample::CLIENT_SECRET).send().await.unwrap().status().as_u16()
    }

    pub(crate) fn claims(&self, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
        let pem = self.emulator.federated_login_public_key_pem();
        let key = jsonwebtoken::DecodingKey::from_rsa_pem(pem.as_bytes())?;
        let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        rules.validate_exp = false;
        rules.set_audience(&["spn:1234567890"]);
        rules.set_issuer(&["SuperOffice AS"]);
        Ok(jsonwebtoken::decode::<Value>(token, &key, &rules)?.claims)
    }
}

pub(crate) fn claim(name: &str) -> String {
    format!("http://schemes.superoffice.net/identity/{name}")
}
