//! A login service with one application and one tenant, and clients of it.

use std::sync::{Arc, OnceLock};

use soticket::pem::{KeySource, KeyType, PemSigner, PrivateKey};
use soticket::{Environment, RetryPolicy, SystemUserClient, SystemUserClientBuilder, Tenant, Transport};
use soticket_emulator::{Config, Emulator, Fault, JwtDefect, Sample, Scope, Times};

/// The partner's key as SuperOffice hands keys out, one for all tests, since making one takes long.
pub(crate) fn partner_key_xml() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = PrivateKey::generate(KeyType::Rsa2048).unwrap();
        key.to_xml().unwrap().expose().to_owned()
    })
}

pub(crate) fn signer() -> Arc<PemSigner> {
    static SIGNER: OnceLock<Arc<PemSigner>> = OnceLock::new();
    let build =
        || PemSigner::builder(KeySource::memory("test", partner_key_xml().as_bytes().to_vec())).build();
    Arc::clone(SIGNER.get_or_init(|| Arc::new(build().unwrap())))
}

pub(crate) fn tenant() -> Tenant {
    Tenant::new(Sample::CONTEXT.parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap())
}

/// The emulator's sample application, running.
pub(crate) struct Service {
    pub(crate) emulator: Emulator,
    transport: Transport,
}

#[expect(clippy::print_stdout, reason = "a test that fails shows it")]
fn say(transport: Transport) {
    println!("over {transport}:");
}

/// Runs a scenario over each transport, from its beginning.
pub(crate) async fn over_each(scenario: impl AsyncFn(Transport)) {
    for &transport in Transport::ALL {
        say(transport);
        scenario(transport).await;
    }
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::over(Transport::default()).await
    }

    /// One whose clients speak by this transport.
    pub(crate) async fn over(transport: Transport) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("partner.xml");
        std::fs::write(&key_file, partner_key_xml()).unwrap();
        let config = Config::sample(&key_file).unwrap();
        let emulator = Emulator::builder().with_config(config).start().await.unwrap();
        Self { emulator, transport }
    }

    pub(crate) fn environment(&self) -> Environment {
        self.emulator.url().parse().unwrap()
    }

    pub(crate) fn client_builder(&self) -> SystemUserClientBuilder {
        SystemUserClient::builder(self.environment(), Sample::CLIENT_SECRET.parse().unwrap(), signer())
            .with_transport(self.transport)
            .with_retry_policy(RetryPolicy::never())
    }

    pub(crate) fn client(&self) -> SystemUserClient {
        self.client_builder().build().unwrap()
    }

    /// Lets one fault strike the next exchange.
    pub(crate) fn spoil_next_exchange(&self, fault: Fault) {
        self.emulator.faults().queue(Scope::Exchange, Times::ONCE, fault);
    }

    pub(crate) fn break_next_jwt(&self, defect: JwtDefect) {
        self.spoil_next_exchange(Fault::jwt(defect));
    }
}
