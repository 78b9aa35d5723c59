//! Where a module's file is: named by path, or by name in the folders where modules are installed.

use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::uri::ModuleName;

/// The file that `name` means; `fallback` is the path to use where the URI names none.
pub(crate) fn locate(name: Option<&ModuleName>, fallback: Option<&Path>) -> Result<PathBuf, Fault> {
    match (name, fallback) {
        (Some(ModuleName::Path(path)), _) => Ok(path.clone()),
        (Some(ModuleName::Name(name)), _) => find(name, FOLDERS.iter().map(Path::new)),
        (None, Some(path)) => Ok(path.to_owned()),
        (None, None) => Err(Fault::configuration(
            "no PKCS#11 module is named; add `?module-path=/path/to/module.so` to the URI (the maker of the device \
             supplies the module), or `?module-name=softhsm2`",
        )),
    }
}

fn find<'a>(name: &str, folders: impl Iterator<Item = &'a Path> + Clone) -> Result<PathBuf, Fault> {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let files = [name.to_owned(), format!("{name}{suffix}"), format!("{prefix}{name}{suffix}")];
    let candidates = folders.clone().flat_map(|folder| files.iter().map(move |file| folder.join(file)));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let folders = folders.map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ");
        Fault::configuration(format!("no module `{name}` is in {folders}; give its path by `module-path`"))
    })
}

/// Where distributions and makers install modules.
const FOLDERS: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu/pkcs11",
    "/usr/lib/aarch64-linux-gnu/pkcs11",
    "/usr/lib64/pkcs11",
    "/usr/lib/pkcs11",
    "/usr/lib/x86_64-linux-gnu/softhsm",
    "/usr/lib/aarch64-linux-gnu/softhsm",
    "/usr/lib64/softhsm",
    "/usr/lib/softhsm",
    "/usr/local/lib/pkcs11",
    "/usr/local/lib/softhsm",
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/opt/homebrew/lib",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_as_it_is_and_the_uri_wins() {
        let path = ModuleName::Path("/x/y.so".into());
        assert_eq!(locate(Some(&path), Some(Path::new("/z.so"))).unwrap(), Path::new("/x/y.so"));
        assert_eq!(locate(None, Some(Path::new("/z.so"))).unwrap(), Path::new("/z.so"));
    }

    #[test]
    fn without_a_module_the_error_says_how_to_name_one() {
        assert!(locate(None, None).unwrap_err().message().contains("module-path="));
        let missing = ModuleName::Name("no-such-module".into());
        assert!(locate(Some(&missing), None).unwrap_err().message().contains("/usr/lib/softhsm"));
    }

    #[test]
    fn a_name_is_completed_as_the_system_names_libraries() {
        let folder = std::env::temp_dir().join(format!("soticket-locate-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = format!("{}acme{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        std::fs::write(folder.join(&file), "").unwrap();
        let found = find("acme", [folder.as_path()].into_iter()).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, folder.join(file));
    }
}
