//! Into AWS KMS.

use soticket::TokenSigner as _;
use soticket::aws_kms::{AwsKmsSigner, AwsKmsUri, KmsKey, ParseKmsKeyError, import_key};

use super::{Brought, require_same, tell_of_file};
use crate::args::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::output::print;

pub(super) async fn import(uri: &AwsKmsUri, args: &ImportArgs) -> Result<Exit, Failure> {
    let client = uri.client().await?;
    let Brought { public, pkcs8 } = Brought::read(args)?;
    let imported = import_key(&client, uri.key(), &pkcs8, &public).await?;
    drop(pkcs8);
    let arn: KmsKey = imported.arn.parse().map_err(|error: ParseKmsKeyError| {
        Failure::new(Exit::Signer, format!("`{}` is no ARN of a key", imported.arn)).with_cause(error)
    })?;
    let done = if imported.was_there { "is there already:" } else { "imported" };
    print(&format!(
        "{done} {} ({} with {} bits, public half SHA-256 {})\n",
        uri.clone().with_key(arn.clone()),
        public.algorithm(),
        public.bits(),
        public.fingerprint()
    ))?;
    let signer = AwsKmsSigner::new(client, arn).await?;
    require_same(&public, signer.key_info().public_key(), "find out what is behind the endpoint")?;
    print("AWS KMS signs with it, and the signature verifies\n")?;
    tell_of_file(&args.from)?;
    Ok(Exit::Done)
}
