//! The program as a process: started in a folder of its own, waited for by the lines it prints.

use lunario::base::Span;
use lunario::edge::clock;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use tempfile::TempDir;

/// How long a line or an end is waited for; far more than any of them takes.
const PATIENCE: Span = Span::from_secs(60);

/// Stands in the environment of every process as the password, and must appear nowhere else.
pub const CANARY: &str = "canary-9f3b7c-hunter2";

/// A folder to work in, with its scripts.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("scripts")).unwrap();
        // A busy machine may hold a handler up for longer than the usual budget.
        folder.write("lunario.toml", "[budget]\nhandler_ms = 500\n");
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program in this folder, with nothing of the tester's environment but the path.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lunario"));
        command.current_dir(self.path()).args(words.split_whitespace()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LUNARIO_FLOWBTC_PASSWORD", CANARY);
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, words: &str) -> Ended {
        Program::start(self.command(words)).end()
    }

    /// Starts the program.
    pub fn start(&self, words: &str) -> Program {
        Program::start(self.command(words))
    }

    /// Whether any file of the state folder holds this text.
    pub fn state_holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.path().join(".lunario")).into_iter().flatten().flatten();
        let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        files.filter_map(|file| std::fs::read(file.path()).ok()).any(holds)
    }

    /// Every row of the journal of one kind, its fields and those of its body.
    pub fn journal(&self, kind: &str) -> Vec<Value> {
        let shown = self.run(&format!("journal show --json --from 1 -n 1000000 --kind {kind}"));
        assert_eq!(shown.code, 0, "{shown:?}");
        shown.out.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Folder {
    /// No password ever reaches the disk.
    fn drop(&mut self) {
        assert!(!self.state_holds(CANARY) || std::thread::panicking(), "the password is on disk");
    }
}

/// A line on stdout, or on stderr.
struct Said {
    on_stderr: bool,
    text: String,
}

/// A process under way. Dropping it ends it.
pub struct Program {
    child: Child,
    lines: Receiver<Said>,
    out: Vec<String>,
    err: Vec<String>,
}

/// What a process printed, and its exit code.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: Vec<String>,
    pub err: Vec<String>,
}

impl Program {
    pub fn start(mut command: Command) -> Program {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (said, lines) = channel();
        read(child.stdout.take().unwrap(), false, said.clone());
        read(child.stderr.take().unwrap(), true, said);
        Program { child, lines, out: Vec::new(), err: Vec::new() }
    }

    /// The next line of stdout for which `wanted` holds; those before it are passed over.
    pub fn line(&mut self, what: &str, mut wanted: impl FnMut(&str) -> bool) -> String {
        let deadline = clock::now().plus(PATIENCE);
        loop {
            let Ok(said) = self.lines.recv_timeout(clock::until(deadline)) else {
                panic!("no line with {what}; {}", self.transcript());
            };
            let (on_stderr, text) = (said.on_stderr, self.keep(said));
            if !on_stderr && wanted(&text) {
                return text;
            }
        }
    }

    /// The next JSON line of this event for which `wanted` holds.
    pub fn event(&mut self, name: &str, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let is = |line: &Value| line["event"] == name;
        let line = self.line(name, |line| {
            serde_json::from_str(line).is_ok_and(|value| is(&value) && wanted(&value))
        });
        serde_json::from_str(&line).unwrap()
    }

    /// What Ctrl-C sends.
    pub fn interrupt(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let deadline = clock::now().plus(PATIENCE);
        loop {
            match self.lines.recv_timeout(clock::until(deadline)) {
                Ok(said) => drop(self.keep(said)),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("it does not end; {}", self.transcript())
                }
            }
        }
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ended { code, out: std::mem::take(&mut self.out), err: std::mem::take(&mut self.err) }
    }

    fn keep(&mut self, said: Said) -> String {
        assert!(!said.text.contains(CANARY), "the password is printed: {}", said.text);
        let lines = if said.on_stderr { &mut self.err } else { &mut self.out };
        lines.push(said.text.clone());
        said.text
    }

    fn transcript(&self) -> String {
        let last = |lines: &[String]| lines[lines.len().saturating_sub(40)..].join("\n");
        format!("the last of stdout:\n{}\nand of stderr:\n{}", last(&self.out), last(&self.err))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Ended {
    /// The last line of stdout as JSON.
    pub fn last_json(&self) -> Value {
        let last = self.out.last().unwrap_or_else(|| panic!("nothing printed: {self:?}"));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {last}"))
    }

    /// Every line of stdout, each of which must be JSON, that is this event.
    pub fn events(&self, name: &str) -> Vec<Value> {
        let parse = |line: &String| -> Value {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.out.iter().map(parse).filter(|value| value["event"] == name).collect()
    }

    pub fn stderr(&self) -> String {
        self.err.join("\n")
    }

    pub fn stdout(&self) -> String {
        self.out.join("\n")
    }
}

fn read(from: impl Read + Send + 'static, on_stderr: bool, said: Sender<Said>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(text) = line else { return };
            if said.send(Said { on_stderr, text }).is_err() {
                return;
            }
        }
    });
}

/// A string of a JSON value.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no string: {value}"))
}
