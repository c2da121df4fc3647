//! The rules in virtual time, and real saves of every kind an editor makes.

use super::*;
use crate::edge::inbox::{Inbox, Next};
use std::io::Write;
use std::time::Duration;
use tempfile::TempDir;

const A: Option<Token> = Some([1; 32]);
const B: Option<Token> = Some([2; 32]);

fn ms(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn settle() -> Settle {
    let mut settle = Settle::new(Span::from_millis(100), Span::from_secs(1));
    settle.known(Path::new("x"), A);
    settle
}

#[test]
fn a_save_counts_when_two_reads_agree() {
    let (mut settle, x) = (settle(), Path::new("x"));
    assert_eq!(settle.due(), None);
    settle.stir(x, Hint::Done, ms(0));
    assert_eq!((settle.due(), settle.ready(ms(49)).len()), (Some(ms(50)), 0));
    assert!(!settle.read(x, B, ms(50)));
    assert!(settle.read(x, B, ms(100)));
    assert_eq!(settle.due(), None);
    // The same content again, as after `touch`.
    settle.stir(x, Hint::Done, ms(200));
    assert!(!settle.read(x, B, ms(250)) && !settle.read(x, B, ms(300)));
    // Back to the first content is a change.
    settle.stir(x, Hint::Done, ms(400));
    assert!(!settle.read(x, A, ms(450)) && settle.read(x, A, ms(500)));
}

#[test]
fn torn_and_missing_content_is_waited_for() {
    let (mut settle, x) = (settle(), Path::new("x"));
    settle.stir(x, Hint::Done, ms(0));
    assert!(!settle.read(x, B, ms(50)));
    // Still changing: the two reads differ.
    assert!(!settle.read(x, A, ms(100)));
    assert_eq!(settle.due(), Some(ms(150)));
    // Truncated: nothing there, until something stirs it.
    assert!(!settle.read(x, None, ms(150)));
    assert_eq!(settle.due(), None);
    settle.stir(x, Hint::Done, ms(200));
    assert!(!settle.read(x, B, ms(250)) && settle.read(x, B, ms(300)));
}

#[test]
fn a_writer_that_has_not_closed_is_waited_for() {
    let (mut settle, x) = (settle(), Path::new("x"));
    settle.stir(x, Hint::Writing, ms(0));
    assert_eq!(settle.due(), Some(ms(1000)));
    settle.stir(x, Hint::Writing, ms(300));
    assert_eq!(settle.due(), Some(ms(1300)));
    settle.stir(x, Hint::Done, ms(310));
    assert_eq!(settle.due(), Some(ms(360)));
    // An event between the two reads starts over.
    assert!(!settle.read(x, B, ms(360)));
    settle.stir(x, Hint::Done, ms(370));
    assert!(!settle.read(x, B, ms(420)) && settle.read(x, B, ms(470)));
}

/// A watched folder.
struct Desk {
    folder: TempDir,
    inbox: Inbox,
    _watch: Watch,
}

fn watched(patience: Patience, files: &[&str]) -> Desk {
    let folder = TempDir::new().unwrap();
    for file in files {
        std::fs::write(folder.path().join(file), "return {}").unwrap();
    }
    let inbox = Inbox::open().unwrap();
    let watch = Watch::start(&[folder.path().to_owned()], patience, inbox.post()).unwrap();
    Desk { folder, inbox, _watch: watch }
}

/// Events only: the walks are too far apart to help.
fn by_events(files: &[&str]) -> Desk {
    watched(Patience { walk: Span::from_secs(3600), ..Patience::default() }, files)
}

impl Desk {
    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The next reported file, and its content as it is then.
    fn changed(&mut self) -> (String, String) {
        match self.inbox.next(Some(clock::now().plus(Span::from_secs(20)))) {
            Next::Input(_, Input::Changed { path }) => {
                let text = load_text(&path).unwrap();
                (path.strip_prefix(self.folder.path()).unwrap().display().to_string(), text)
            }
            other @ (Next::Input(..) | Next::Timeout) => panic!("no change but {other:?}"),
        }
    }

    fn expect(&mut self, file: &str, text: &str) {
        assert_eq!(self.changed(), (file.to_owned(), text.to_owned()));
    }
}

/// A pause of a writer: what is tested is a writer that takes its time.
fn pause(millis: u64) {
    let (_keep, never) = sync_channel::<()>(1);
    assert!(never.recv_timeout(Duration::from_millis(millis)).is_err());
}

#[test]
fn saves_in_place_and_by_renaming_are_reported_once() {
    let mut desk = by_events(&["a.luau", "b.lua"]);
    std::fs::write(desk.path("a.luau"), "return { 1 }").unwrap();
    desk.expect("a.luau", "return { 1 }");
    // Write beside and rename over, as `sed -i` does.
    std::fs::write(desk.path(".b.tmp"), "return { 2 }").unwrap();
    std::fs::rename(desk.path(".b.tmp"), desk.path("b.lua")).unwrap();
    desk.expect("b.lua", "return { 2 }");
    // Delete and create, as `git checkout` does.
    std::fs::remove_file(desk.path("a.luau")).unwrap();
    std::fs::write(desk.path("a.luau"), "return { 3 }").unwrap();
    desk.expect("a.luau", "return { 3 }");
    // A new file, and one in a new folder.
    std::fs::write(desk.path("c.luau"), "return { 4 }").unwrap();
    desk.expect("c.luau", "return { 4 }");
    std::fs::create_dir(desk.path("more")).unwrap();
    std::fs::write(desk.path("more/d.luau"), "return { 5 }").unwrap();
    desk.expect("more/d.luau", "return { 5 }");
    assert_eq!(desk.inbox.ready(), None);
}

#[test]
fn a_slow_writer_is_reported_when_it_is_done() {
    let mut desk = by_events(&["a.luau"]);
    let mut file = File::create(desk.path("a.luau")).unwrap();
    for part in ["return", " { ", "1 }"] {
        file.write_all(part.as_bytes()).unwrap();
        file.flush().unwrap();
        pause(250);
    }
    drop(file);
    desk.expect("a.luau", "return { 1 }");
}

#[test]
fn an_empty_file_is_waited_for() {
    let mut desk = by_events(&["a.luau"]);
    drop(File::create(desk.path("a.luau")).unwrap());
    pause(300);
    std::fs::write(desk.path("a.luau"), "return { 1 }").unwrap();
    desk.expect("a.luau", "return { 1 }");
}

#[test]
fn unchanged_and_foreign_files_are_not_reported() {
    let mut desk = by_events(&["a.luau", "z.luau"]);
    let same = std::fs::read(desk.path("a.luau")).unwrap();
    std::fs::write(desk.path("a.luau"), same).unwrap();
    File::options()
        .append(true)
        .open(desk.path("a.luau"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH)
        .unwrap();
    std::fs::write(desk.path("notes.txt"), "x").unwrap();
    std::fs::write(desk.path(".hidden.luau"), "x").unwrap();
    std::fs::remove_file(desk.path("a.luau")).unwrap();
    // Reported first, so nothing before it was; the pause gives what is late its chance.
    std::fs::write(desk.path("z.luau"), "return { 9 }").unwrap();
    desk.expect("z.luau", "return { 9 }");
    pause(200);
    assert_eq!(desk.inbox.ready(), None);
}

#[test]
fn walks_find_what_events_miss() {
    let patience = Patience { walk: Span::from_millis(50), ..Patience::default() };
    let mut desk = watched(patience, &["a.luau"]);
    // A folder swapped behind a link, as deployments do: no event occurs on the scripts themselves.
    for (folder, text) in [("one", "return { 1 }"), ("two", "return { 2 }")] {
        std::fs::create_dir(desk.path(&format!(".{folder}"))).unwrap();
        std::fs::write(desk.path(&format!(".{folder}/s.luau")), text).unwrap();
    }
    std::os::unix::fs::symlink(".one", desk.path("live")).unwrap();
    desk.expect("live/s.luau", "return { 1 }");
    std::os::unix::fs::symlink(".two", desk.path(".next")).unwrap();
    std::fs::rename(desk.path(".next"), desk.path("live")).unwrap();
    desk.expect("live/s.luau", "return { 2 }");
}

#[test]
fn the_target_of_a_link_is_watched() {
    let elsewhere = TempDir::new().unwrap();
    let target = elsewhere.path().join("real.luau");
    std::fs::write(&target, "return {}").unwrap();
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink(&target, folder.path().join("a.luau")).unwrap();
    let inbox = Inbox::open().unwrap();
    let patience = Patience { walk: Span::from_secs(3600), ..Patience::default() };
    // A single file is watched through its folder.
    let paths = [folder.path().join("a.luau")];
    let watch = Watch::start(&paths, patience, inbox.post()).unwrap();
    let mut desk = Desk { folder, inbox, _watch: watch };
    std::fs::write(&target, "return { 1 }").unwrap();
    desk.expect("a.luau", "return { 1 }");
}

#[test]
fn what_cannot_be_watched_or_loaded_is_explained() {
    let folder = TempDir::new().unwrap();
    let inbox = Inbox::open().unwrap();
    let missing = [folder.path().join("none")];
    let error = Watch::start(&missing, Patience::default(), inbox.post()).unwrap_err();
    assert!(error.to_string().contains("cannot watch"), "{error}");
    let path = folder.path().join("a.luau");
    for (content, expected) in [
        (b"return {}".to_vec(), Ok("return {}")),
        (b"\xef\xbb\xbfreturn {}".to_vec(), Ok("return {}")),
        (b"x\n\xff\n".to_vec(), Err("a.luau:2: the file is not UTF-8")),
        (vec![b' '; 1 << 20], Ok("")),
        (vec![b' '; (1 << 20) + 1], Err("larger than 1 MiB")),
    ] {
        std::fs::write(&path, content).unwrap();
        match (load_text(&path), expected) {
            (Ok(text), Ok(expected)) => assert_eq!(text.trim(), expected),
            (Err(error), Err(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
            }
            (got, expected) => panic!("{got:?} is not {expected:?}"),
        }
    }
    assert!(load_text(&folder.path().join("b.luau")).is_err());
}
