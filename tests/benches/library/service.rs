//! The emulator on threads of its own, and a client of it.

use soticket::pem::{KeySource, PemSigner};
use soticket::{RetryPolicy, SystemUserClient, Tenant};
use soticket_emulator::{Config, Emulator, Sample};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) struct Service {
    emulator: Emulator,
    folder: TempDir,
    _threads: Runtime,
}

impl Service {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::sample(folder.path().join("partner.xml")).unwrap();
        let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let emulator = threads.block_on(Emulator::builder().with_config(config).start()).unwrap();
        Self { emulator, folder, _threads: threads }
    }

    pub(crate) fn client(&self) -> SystemUserClient {
        let source = KeySource::file(self.folder.path().join("partner.xml"));
        let signer = PemSigner::builder(source).build().unwrap();
        let environment = self.emulator.url().parse().unwrap();
        SystemUserClient::builder(environment, Sample::CLIENT_SECRET.parse().unwrap(), signer)
            .with_retry_policy(RetryPolicy::never())
            .build()
            .unwrap()
    }
}

pub(crate) fn tenant() -> Tenant {
    Tenant::new(Sample::CONTEXT.parse().unwrap(), Sample::SYSTEM_USER_TOKEN.parse().unwrap())
}
