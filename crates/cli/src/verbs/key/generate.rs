//! `soticket key generate`: a key in a file, or in a token that it never leaves.

use crate::args::GenerateArgs;
use crate::failure::{Exit, Failure};

pub(super) async fn run(args: GenerateArgs) -> Result<Exit, Failure> {
    match (args.signer.clone(), args.out.clone()) {
        (Some(signer), _) => in_token(&signer, args).await,
        (None, Some(out)) => in_file(&out, &args),
        (None, None) => Err(Failure::configuration("name a file by --out, or a token by --signer")),
    }
}

#[cfg(feature = "pem")]
fn in_file(out: &std::path::PathBuf, args: &GenerateArgs) -> Result<Exit, Failure> {
    use soticket::pem::{KeyError, KeyType, PrivateKey};

    use super::new_file;

    let key_type: KeyType = args
        .key_type
        .parse()
        .map_err(|error: KeyError| Failure::configuration("--type cannot be used").with_cause(error))?;
    new_file::check(out, &args.file, args.to)?;
    let key = PrivateKey::generate(key_type)
        .map_err(|error| Failure::new(error.kind().into(), "no key can be made").with_cause(error))?;
    new_file::write(out, &args.file, args.to, &key)
}

#[cfg(not(feature = "pem"))]
fn in_file(_: &std::path::PathBuf, _: &GenerateArgs) -> Result<Exit, Failure> {
    Err(super::without("key files", "pem"))
}

#[cfg(feature = "pkcs11")]
async fn in_token(signer: &str, args: GenerateArgs) -> Result<Exit, Failure> {
    use soticket::pkcs11::NewKeyType;

    use super::token::{access, told};
    use crate::output::print;
    use crate::place::{Existing, check_free, persist};
    use crate::settings::{named_signer, pkcs11_pin};

    let key_type = match args.key_type.as_str() {
        "rsa2048" => NewKeyType::Rsa2048,
        "rsa3072" => NewKeyType::Rsa3072,
        "rsa4096" => NewKeyType::Rsa4096,
        "p256" => NewKeyType::P256,
        other => {
            return Err(Failure::configuration(format!(
                "--type cannot be `{other}`; there are rsa2048, rsa3072, rsa4096 and p256"
            )));
        }
    };
    check_free(args.file.public_out.as_ref(), Existing::of(&args.file))?;
    let pin = pkcs11_pin(&args.token, None);
    let (token, key) = access(&named_signer(Some(signer))?, &pin, &args.token)?.generate(key_type).await?;
    if let (Some(path), Some(public)) = (&args.file.public_out, key.public_key()) {
        persist(path, public.to_pem().as_bytes(), Existing::of(&args.file))?;
    }
    print(&format!("made {}\n", told(&token, &key)))?;
    Ok(Exit::Done)
}

#[cfg(not(feature = "pkcs11"))]
#[expect(clippy::unused_async, reason = "with the backend, it waits for the token")]
async fn in_token(_: &str, _: GenerateArgs) -> Result<Exit, Failure> {
    Err(super::without("PKCS#11 tokens", "pkcs11"))
}
