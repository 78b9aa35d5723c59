//! What the rules look at: the files of the repository and the packages that cargo sees.

use std::{
    collections::{BTreeSet, HashSet},
    fs, io,
    path::Path,
};

use cargo_metadata::{DependencyKind, Metadata, Package, semver::Version};

use crate::{command::Invocation, error::Error, repository::Repository};

/// Folders of what was built or installed, which git is told to ignore.
const NOT_SOURCES: [&str; 2] = ["node_modules", "target"];

/// The repository as read from disk, or as a test makes it up.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Every file that is in git or could be, sorted by path.
    pub(crate) files: Vec<File>,
    /// The workspace's packages.
    pub(crate) members: Vec<Member>,
    /// Every other package that something in the workspace is built with, on any platform.
    pub(crate) foreign: Vec<Foreign>,
    /// The Rust version that the workspace states.
    pub(crate) rust_version: Option<Version>,
}

/// A file with its path relative to the root, separated by slashes.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: String,
    /// Nothing for a file that is not text.
    pub(crate) text: Option<String>,
}

/// A package of the workspace.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// The path of its `Cargo.toml`.
    pub(crate) manifest: String,
    /// The packages that it names, in the workspace and outside.
    pub(crate) dependencies: Vec<(String, DependencyKind)>,
}

/// A package from a registry.
#[derive(Debug)]
pub(crate) struct Foreign {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) rust_version: Option<Version>,
}

impl Tree {
    /// Reads the repository; files that git ignores are left out.
    pub(crate) fn read(repository: &Repository) -> Result<Self, Error> {
        let metadata = repository.metadata()?;
        let members = metadata.workspace_packages();
        Ok(Self {
            files: files(repository)?,
            rust_version: members.iter().find_map(|package| package.rust_version.clone()),
            members: members.into_iter().map(|package| member(&metadata, package)).collect(),
            foreign: foreign(repository, &metadata)?,
        })
    }

    /// The text files with this ending.
    pub(crate) fn with_ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts().filter(move |(path, _)| path.ends_with(ending))
    }

    /// The files that are text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// True for a file and for a folder that holds one.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

fn files(repository: &Repository) -> Result<Vec<File>, Error> {
    let root = repository.root();
    let mut paths = BTreeSet::new();
    if root.join(".git").exists() {
        paths.extend(known_to_git(repository)?);
    } else {
        walk(root, "", &mut paths)?;
    }
    paths.iter().filter_map(|path| read(root, path).transpose()).collect()
}

fn known_to_git(repository: &Repository) -> Result<Vec<String>, Error> {
    // The checkout may belong to another user, in a container for instance. Git is wary of what such a checkout
    // makes it start; cargo has started more of it by now.
    let listed = Invocation::new("git", ["-c", "safe.directory=*", "ls-files", "-z"])
        .with_args(["--cached", "--others", "--exclude-standard"])
        .output(repository)?;
    let listed = String::from_utf8_lossy(&listed);
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

/// Collects the files of a tree that came without git.
fn walk(root: &Path, folder: &str, paths: &mut BTreeSet<String>) -> Result<(), Error> {
    let full = root.join(folder);
    let unreadable = |cause| Error::Unreadable { path: full.clone(), cause };
    for entry in fs::read_dir(&full).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if !entry.file_type().map_err(unreadable)?.is_dir() {
            paths.insert(path);
        } else if !NOT_SOURCES.contains(&name.as_str()) {
            walk(root, &path, paths)?;
        }
    }
    Ok(())
}

/// Nothing for what git still lists though it is gone, and for links and submodules.
fn read(root: &Path, path: &str) -> Result<Option<File>, Error> {
    let full = root.join(path);
    let unreadable = |cause| Error::Unreadable { path: full.clone(), cause };
    match fs::symlink_metadata(&full) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(cause)),
    }
    let text = String::from_utf8(fs::read(&full).map_err(unreadable)?).ok();
    Ok(Some(File { path: path.to_owned(), text }))
}

fn member(metadata: &Metadata, package: &Package) -> Member {
    let manifest = &package.manifest_path;
    let relative = manifest.strip_prefix(&metadata.workspace_root).unwrap_or(manifest);
    Member {
        name: package.name.to_string(),
        manifest: relative.as_str().replace('\\', "/"),
        dependencies: package.dependencies.iter().map(|d| (d.name.clone(), d.kind)).collect(),
    }
}

/// What is built with some feature on some platform. The lock file and cargo's metadata name more: packages
/// that only a feature which nothing enables would bring.
fn foreign(repository: &Repository, metadata: &Metadata) -> Result<Vec<Foreign>, Error> {
    let tree = Invocation::cargo(["tree", "--quiet", "--workspace", "--all-features", "--target", "all"])
        .with_args(["--prefix", "none", "--format", "{p}"])
        .output(repository)?;
    let tree = String::from_utf8_lossy(&tree);
    let built: HashSet<_> = tree.lines().filter_map(name_and_version).collect();
    let packages = metadata.packages.iter().filter(|package| package.source.is_some());
    Ok(packages
        .filter(|package| built.contains(&(package.name.as_str(), package.version.to_string().as_str())))
        .map(|package| Foreign {
            name: package.name.to_string(),
            version: package.version.clone(),
            rust_version: package.rust_version.clone(),
        })
        .collect())
}

/// The first two words of a line like `serde v1.0.229 (*)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.split_once(" v")?;
    Some((name, rest.split(' ').next()?))
}

/// How tests make trees up.
#[cfg(test)]
impl Tree {
    pub(crate) fn of_files(files: &[(&str, &str)]) -> Self {
        let file =
            |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: Some((*text).to_owned()) };
        Self { files: files.iter().map(file).collect(), ..Self::default() }
    }

    pub(crate) fn with_member(
        mut self,
        name: &str,
        manifest: &str,
        dependencies: &[(&str, DependencyKind)],
    ) -> Self {
        let dependencies = dependencies.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        self.members.push(Member { name: name.to_owned(), manifest: manifest.to_owned(), dependencies });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_cargo_tree_names_a_package() {
        let expected = Some(("toml", "1.2.1+spec-1.1.0"));
        assert_eq!(name_and_version("toml v1.2.1+spec-1.1.0"), expected);
        assert_eq!(name_and_version("toml v1.2.1+spec-1.1.0 (*)"), expected);
        assert_eq!(name_and_version(""), None);
    }

    #[test]
    fn folders_are_there_when_a_file_is_in_them() {
        let tree = Tree::of_files(&[("docs/guide.md", "")]);
        assert!(tree.has("docs") && tree.has("docs/guide.md") && tree.has(""));
        assert!(!tree.has("doc") && !tree.has("docs/guide"));
    }
}
