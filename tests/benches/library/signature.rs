//! One signature through `TokenSigner`, beside the bare calls to `aws-lc-rs` and `rsa`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use divan::{Bencher, black_box};
use getrandom::SysRng;
use pkcs8::DecodePrivateKey as _;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use soticket::TokenSigner;
use soticket::pem::{KeySource, KeyType, PemSigner, PrivateKey};

/// As long as the message of a signed system token.
const MESSAGE: &[u8] = b"My App-pzqc70604i.202611231559";
const AWS_LC_RSA: [KeyType; 3] = [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096];
const ALL: [KeyType; 4] = [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096, KeyType::P256];

fn pkcs8(key_type: KeyType) -> Vec<u8> {
    PrivateKey::generate(key_type).unwrap().to_pkcs8_der().unwrap().to_vec()
}

pub(crate) fn signer(pkcs8: Vec<u8>) -> PemSigner {
    PemSigner::builder(KeySource::memory("benchmark", pkcs8)).build().unwrap()
}

#[divan::bench(args = ALL)]
fn token_signer(bencher: Bencher<'_, '_>, key_type: KeyType) {
    let signer = signer(pkcs8(key_type));
    let runtime = super::runtime();
    bencher.bench_local(|| runtime.block_on(signer.sign(black_box(MESSAGE))).unwrap());
}

#[divan::bench(args = AWS_LC_RSA)]
fn bare_aws_lc_rs(bencher: Bencher<'_, '_>, key_type: KeyType) {
    let key = RsaKeyPair::from_pkcs8(&pkcs8(key_type)).unwrap();
    let random = SystemRandom::new();
    bencher.bench_local(|| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &random, black_box(MESSAGE), &mut signature).unwrap();
        signature
    });
}

#[divan::bench]
fn bare_aws_lc_rs_p256(bencher: Bencher<'_, '_>) {
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8(KeyType::P256)).unwrap();
    let random = SystemRandom::new();
    bencher.bench_local(|| key.sign(&random, black_box(MESSAGE)).unwrap().as_ref().to_vec());
}

#[divan::bench(args = AWS_LC_RSA, sample_count = 20)]
fn rsa_crate(bencher: Bencher<'_, '_>, key_type: KeyType) {
    let key = rsa::PrivateKey::from_pkcs8_der(&pkcs8(key_type)).unwrap();
    sign_with_rsa(bencher, key);
}

#[divan::bench(sample_count = 20)]
fn rsa_crate_1024(bencher: Bencher<'_, '_>) {
    sign_with_rsa(bencher, key_of_1024_bits());
}

/// Keys under 2048 bits go through `rsa`, since `aws-lc-rs` refuses them.
#[divan::bench(sample_count = 20)]
fn token_signer_1024(bencher: Bencher<'_, '_>) {
    use pkcs8::EncodePrivateKey as _;
    let signer = signer(key_of_1024_bits().to_pkcs8_der().unwrap().as_bytes().to_vec());
    let runtime = super::runtime();
    bencher.bench_local(|| runtime.block_on(signer.sign(black_box(MESSAGE))).unwrap());
}

fn key_of_1024_bits() -> rsa::PrivateKey {
    rsa::PrivateKey::new(&mut SysRng, 1024).unwrap()
}

fn sign_with_rsa(bencher: Bencher<'_, '_>, key: rsa::PrivateKey) {
    let key = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(key);
    bencher.bench_local(|| key.try_sign_with_rng(&mut SysRng, black_box(MESSAGE)).unwrap().to_vec());
}
