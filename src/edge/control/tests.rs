//! Questions come in as inputs and are answered over the socket; an engine that is gone is said to
//! be.

use super::{Control, FILE, ask};
use crate::base::Span;
use crate::edge::clock;
use crate::edge::inbox::{Inbox, Input, Next};
use std::os::unix::fs::PermissionsExt;

fn serve(inbox: &mut Inbox, control: &Control, answers: usize) {
    let mut left = answers;
    let end = clock::now().plus(Span::from_secs(20));
    while left > 0 && clock::now() < end {
        if let Next::Input(_, Input::Asked(asked)) = inbox.next(Some(end)) {
            control.answer(asked.id, format!("you asked {}", asked.question));
            left -= 1;
        }
    }
    // Lets the answer leave.
    while clock::now() < end && !control.shared.waiting().is_empty() {
        inbox.next(Some(clock::now()));
    }
    for _ in 0..100 {
        inbox.next(Some(clock::now()));
    }
}

#[test]
fn a_question_is_answered_and_the_socket_is_the_users_own() {
    let folder = tempfile::tempdir().unwrap();
    // Long enough to need a socket elsewhere.
    let deep = folder.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    for state in [folder.path().to_owned(), deep] {
        let mut inbox = Inbox::open().unwrap();
        let control = Control::start(&state, inbox.lines()).unwrap();
        let mode = std::fs::metadata(&control.socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let asker = {
            let state = state.clone();
            std::thread::spawn(move || [ask(&state, "one").unwrap(), ask(&state, "two").unwrap()])
        };
        serve(&mut inbox, &control, 2);
        assert_eq!(asker.join().unwrap(), ["you asked one", "you asked two"]);
        drop(control);
        let gone = format!("{:#}", ask(&state, "three").unwrap_err());
        assert!(gone.starts_with("no engine runs on the state folder"), "{gone}");
    }
}

#[test]
fn a_socket_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    drop(std::os::unix::net::UnixListener::bind(folder.path().join(FILE)).unwrap());
    assert!(ask(folder.path(), "hello").is_err());
    let inbox = Inbox::open().unwrap();
    let control = Control::start(folder.path(), inbox.lines()).unwrap();
    assert!(control.socket.exists());
}
