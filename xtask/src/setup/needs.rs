//! What the tests need of the system, how each is known to be there, and the Debian package that brings it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::command::find_program;

/// The package that depends on the release's own libclang.
pub(super) const LIBCLANG: &str = "libclang-dev";

/// The package that brings Redis, and a service that is not needed.
pub(super) const REDIS: &str = "redis-server";

/// Something that tests start or load, or that what they load is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) name: &'static str,
    pub(super) package: &'static str,
    sign: Sign,
}

/// What shows that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// A program of its name.
    Program,
    /// One of these files in a folder of libraries; distributions disagree on the folder inside of that.
    Library(&'static [&'static str]),
    /// These modules of Python; Debian ships some of Python's own apart.
    PythonModules(&'static str),
    /// This file among the C headers.
    Header(&'static str),
    /// A libclang that bindgen finds, and the headers that belong to it.
    Libclang,
}

impl Need {
    /// What is not there.
    pub(super) fn missing() -> Vec<Self> {
        let missing = NEEDS.iter().filter(|need| !need.is_named() && !need.is_there(Path::new("/")));
        missing.copied().collect()
    }

    const fn program(name: &'static str, package: &'static str) -> Self {
        Self { name, package, sign: Sign::Program }
    }

    /// True when whoever runs this says where it is.
    fn is_named(&self) -> bool {
        self.sign == Sign::Libclang && env::var_os("LIBCLANG_PATH").is_some()
    }

    /// Looks for files below `root`, for programs on the PATH.
    fn is_there(&self, root: &Path) -> bool {
        match self.sign {
            Sign::Program => find_program(self.name).is_some(),
            Sign::PythonModules(modules) => has_python_modules(modules),
            Sign::Library(files) => library_folders(root)
                .iter()
                .any(|folder| files.iter().any(|file| folder.join(file).is_file())),
            Sign::Header(file) => {
                ["usr/include", "usr/local/include"].iter().any(|dir| root.join(dir).join(file).is_file())
            }
            Sign::Libclang => has_libclang(root) && has_headers_of_clang(root),
        }
    }
}

fn has_python_modules(modules: &str) -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", &format!("import {modules}")]).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// `/usr/lib` and its like with the folders in them, one of which is the architecture's.
fn library_folders(root: &Path) -> Vec<PathBuf> {
    let folders = ["usr/lib", "usr/lib64", "usr/local/lib"].map(|folder| root.join(folder));
    folders.iter().flat_map(|folder| entries(folder)).chain(folders.clone()).collect()
}

fn has_libclang(root: &Path) -> bool {
    let of_llvm = entries(&root.join("usr/lib")).into_iter().map(|folder| folder.join("lib"));
    library_folders(root).into_iter().chain(of_llvm).flat_map(|folder| entries(&folder)).any(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libclang") && !name.starts_with("libclang-cpp") && name.contains(".so")
    })
}

/// The headers that the compiler brings and not the C library: without `stddef.h`, bindgen reads no other header.
fn has_headers_of_clang(root: &Path) -> bool {
    let of_llvm = entries(&root.join("usr/lib")).into_iter().map(|folder| folder.join("lib"));
    let libraries = of_llvm.chain([root.join("usr/lib"), root.join("usr/lib64")]);
    libraries
        .flat_map(|folder| entries(&folder.join("clang")))
        .any(|version| version.join("include/stddef.h").is_file())
}

/// What a folder holds; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The C compiler that aws-lc-sys needs is not among them: this program could not have been linked without one.
const NEEDS: &[Need] = &[
    Need::program("ip", "iproute2"),
    Need::program("node", "nodejs"),
    Need::program("npm", "npm"),
    Need::program("openssl", "openssl"),
    Need::program("unshare", "util-linux"),
    // Tokens and what is asked of them.
    Need::program("softhsm2-util", "softhsm2"),
    Need {
        name: "libsofthsm2.so",
        package: "softhsm2",
        sign: Sign::Library(&["softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so", "libsofthsm2.so"]),
    },
    Need::program("pkcs11-tool", "opensc"),
    Need::program("p11-kit", "p11-kit"),
    Need {
        name: "p11-kit-client.so",
        package: "p11-kit-modules",
        sign: Sign::Library(&["pkcs11/p11-kit-client.so"]),
    },
    Need::program("certutil", "libnss3-tools"),
    Need {
        name: "libsoftokn3.so",
        package: "libnss3",
        sign: Sign::Library(&["libsoftokn3.so", "nss/libsoftokn3.so"]),
    },
    // What tickets are shared through, and where the key to them may be.
    Need::program("redis-server", REDIS),
    Need::program("keyctl", "keyutils"),
    // What the stand-in for AWS KMS and zeep are installed with.
    Need { name: "python3 with venv", package: "python3-venv", sign: Sign::PythonModules("venv, ensurepip") },
    // What libFuzzer is built with.
    Need::program("c++", "g++"),
    // What kryoptic is built with.
    Need { name: "libclang", package: LIBCLANG, sign: Sign::Libclang },
    Need::program("pkg-config", "pkg-config"),
    Need { name: "openssl/ssl.h", package: "libssl-dev", sign: Sign::Header("openssl/ssl.h") },
    Need { name: "sqlite3.h", package: "libsqlite3-dev", sign: Sign::Header("sqlite3.h") },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// True when the need of this name is met by a system of these files.
    fn met(name: &str, files: &[&str]) -> bool {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        NEEDS.iter().find(|need| need.name == name).unwrap().is_there(root.path())
    }

    #[test]
    fn a_library_is_found_beside_the_others_and_in_the_folder_of_an_architecture() {
        for file in ["usr/lib/softhsm/libsofthsm2.so", "usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"] {
            assert!(met("libsofthsm2.so", &[file]), "{file}");
        }
        assert!(met("libsoftokn3.so", &["usr/lib64/libsoftokn3.so"]));
        assert!(!met("libsofthsm2.so", &["usr/lib/softhsm/other.so"]));
        assert!(!met("libsofthsm2.so", &[]));
    }

    #[test]
    fn a_header_is_found_by_its_folder() {
        assert!(met("openssl/ssl.h", &["usr/include/openssl/ssl.h"]));
        assert!(!met("openssl/ssl.h", &["usr/include/ssl.h"]));
    }

    #[test]
    fn libclang_needs_its_headers() {
        let headers = "usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h";
        for library in
            ["usr/lib/llvm-14/lib/libclang.so.1", "usr/lib/x86_64-linux-gnu/libclang-14.so.13"].iter()
        {
            assert!(met("libclang", &[library, headers]), "{library}");
            assert!(!met("libclang", &[library]), "{library} alone");
        }
        assert!(!met("libclang", &["usr/lib/x86_64-linux-gnu/libclang-cpp.so.14", headers]));
        assert!(!met("libclang", &["usr/lib/llvm-14/lib/libclang-cpp.so.14", headers]));
    }
}
