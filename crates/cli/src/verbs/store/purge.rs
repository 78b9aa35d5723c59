//! `soticket store purge`: what has ended is removed.

use std::path::Path;

use crate::args::{ConnectionArgs, PurgeArgs};
use crate::failure::{Exit, Failure};
#[cfg(feature = "file-store")]
use crate::interruption::unless_interrupted;
use crate::output::print;
use crate::settings::{OpenStore, Settings};

pub(super) async fn run(args: PurgeArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let settings = Settings::new(ConnectionArgs::default(), config)?;
    match settings.store(&args.store)? {
        #[cfg(feature = "file-store")]
        Some(OpenStore::Folder(store, path)) => {
            let purged = unless_interrupted(store.purge_ended()).await??;
            print(&format!("removed {purged} ended tickets from {}\n", path.display()))?;
            Ok(Exit::Done)
        }
        #[cfg(feature = "redis")]
        Some(OpenStore::Redis(_)) => {
            print("nothing to do: Redis removes ended tickets by itself\n")?;
            Ok(Exit::Done)
        }
        None => Err(Failure::configuration(
            "no store is named; use --store, SOTICKET_STORE, or `store` in the settings file",
        )),
    }
}
