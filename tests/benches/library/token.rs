//! Building a whole signed system token, beside the signature that is most of it.

use divan::Bencher;
use soticket::pem::{KeyType, PrivateKey};
use soticket::{SignedSystemToken, SystemClock, SystemUserToken};

#[divan::bench]
fn build_with_rsa_2048(bencher: Bencher<'_, '_>) {
    let key = PrivateKey::generate(KeyType::Rsa2048).unwrap().to_pkcs8_der().unwrap().to_vec();
    let signer = super::signature::signer(key);
    let token: SystemUserToken = "My App-pzqc70604i".parse().unwrap();
    let runtime = super::runtime();
    bencher.bench_local(|| {
        let signed = runtime.block_on(SignedSystemToken::build(&token, &SystemClock, &signer)).unwrap();
        signed.to_secret_text()
    });
}
