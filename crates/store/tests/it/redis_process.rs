//! A real Redis, on a free port of loopback, with nothing on disk but in a folder that is gone afterwards.
//!
//! The tests that cross crates use it too.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct RedisServer {
    pub(crate) process: Child,
    pub(crate) port: u16,
    arguments: Vec<String>,
    folder: tempfile::TempDir,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_, port| vec!["--port".to_owned(), port.to_string()])
    }

    /// One with the arguments that are told for its folder and its port.
    pub(crate) fn start_with(arguments: impl Fn(&Path, u16) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..10 {
            let port = free_port();
            let arguments = arguments(folder.path(), port);
            // Somebody else may have been faster to take the port.
            if let Some(process) = spawn(folder.path(), &arguments) {
                return Self { process, port, arguments, folder };
            }
        }
        panic!("redis-server does not start; run `redis-server --port 7777` to see why");
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// On the same port, with nothing of what it knew.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(self.folder.path(), &self.arguments).expect("redis-server does not start again");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `None` when it ends before it is ready.
fn spawn(folder: &Path, arguments: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no", "--dir"]).arg(folder);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap_or_else(|error| {
        panic!("redis-server cannot be run ({error}); install it: `cargo xtask setup`, or Debian's `redis-server`")
    });
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let is_ready = lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections")));
    if !is_ready {
        process.wait().unwrap();
        return None;
    }
    // It goes on telling, and would be ended by a pipe that nobody reads.
    std::thread::spawn(move || lines.for_each(drop));
    Some(process)
}
