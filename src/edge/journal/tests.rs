//! The chain finds tampering; rows survive a reopening; one writer at a time.

use super::*;
use crate::base::Span;
use tempfile::TempDir;

fn row(n: i64, body: &str) -> Row<'_> {
    Row { at: Time::from_nanos(n), kind: "order", strategy: "ema", version: "abc", body }
}

fn filled() -> (TempDir, StateDir) {
    let folder = TempDir::new().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    for n in 1..=5 {
        let (first, second) = (format!("{{\"n\":{n}}}"), "{}".to_owned());
        assert_eq!(journal.append(&[row(n, &first), row(n, &second)]).unwrap(), n * 2);
    }
    assert_eq!(journal.verify().unwrap().problems, []);
    drop(journal);
    (folder, state)
}

#[test]
fn rows_come_back_as_written_after_reopening() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Strict).unwrap();
    assert_eq!(journal.seq(), 10);
    assert_eq!(journal.append(&[row(9, "after")]).unwrap(), 11);
    assert_eq!(journal.append(&[]).unwrap(), 11);
    let rows = journal.rows(9, 10).unwrap();
    let seen: Vec<_> = rows.iter().map(|r| (r.seq, r.at.nanos(), r.body.as_str())).collect();
    assert_eq!(seen, [(9, 5, "{\"n\":5}"), (10, 5, "{}"), (11, 9, "after")]);
    assert_eq!(journal.rows(1, 3).unwrap().len(), 3);
    let verdict = journal.verify().unwrap();
    assert_eq!((verdict.rows, verdict.problems.len()), (11, 0));
    assert_eq!(verdict.head.len(), 64);
}

#[test]
fn rows_are_in_the_file_before_append_returns() {
    // A second reader sees them while the writer is alive and has not closed anything: what a
    // process that is killed now leaves behind.
    let (folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    journal.append(&[row(6, "seen")]).unwrap();
    let reader = Reader::open(folder.path()).unwrap();
    assert_eq!(reader.last().unwrap(), 11);
    assert_eq!(reader.rows(11, 1).unwrap()[0].body, "seen");
    // The same files, copied as they stand and opened elsewhere, as after a crash.
    let copy = TempDir::new().unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let after = StateDir::open(copy.path()).unwrap();
    let recovered = Journal::open(&after, Policy::Group).unwrap();
    assert_eq!(recovered.seq(), 11);
    assert_eq!(recovered.verify().unwrap().problems, []);
}

#[test]
fn tampering_is_found() {
    let cases: [(&str, &[Problem]); 9] = [
        // A chain that is whole in itself, and not the one that was written.
        (
            "DELETE FROM records; INSERT INTO records VALUES
             (1, 0, '', '', '', '', x'');
             UPDATE head SET seq = 1",
            &[Problem::Changed { seq: 1 }, Problem::Head { seq: 1 }],
        ),
        ("UPDATE records SET body = '{}x' WHERE seq = 4", &[Problem::Changed { seq: 4 }]),
        ("UPDATE records SET at = 99 WHERE seq = 1", &[Problem::Changed { seq: 1 }]),
        (
            "UPDATE records SET kind = 'ordere', strategy = 'ma' WHERE seq = 2",
            &[Problem::Changed { seq: 2 }],
        ),
        ("DELETE FROM records WHERE seq = 3", &[Problem::Missing { from: 3, to: 3 }]),
        ("DELETE FROM records WHERE seq IN (3, 4)", &[Problem::Missing { from: 3, to: 4 }]),
        ("DELETE FROM records WHERE seq > 8", &[Problem::Missing { from: 9, to: 10 }]),
        (
            "UPDATE records SET seq = -1 WHERE seq = 5; UPDATE records SET seq = 5 WHERE seq = 6;
             UPDATE records SET seq = 6 WHERE seq = -1",
            &[
                Problem::Changed { seq: 5 },
                Problem::Changed { seq: 6 },
                Problem::Changed { seq: 7 },
            ],
        ),
        (
            "INSERT INTO records SELECT 11, at, kind, strategy, version, body, hash
             FROM records WHERE seq = 10",
            &[Problem::Changed { seq: 11 }],
        ),
    ];
    for (change, expected) in cases {
        let (folder, _state) = filled();
        Connection::open(file_in(folder.path())).unwrap().execute_batch(change).unwrap();
        let reader = Reader::open(folder.path()).unwrap();
        assert_eq!(reader.verify().unwrap().problems, expected, "{change}");
    }
}

#[test]
fn a_journal_without_its_last_rows_is_not_written_on() {
    let (folder, state) = filled();
    let cut = "DELETE FROM records WHERE seq = 10";
    Connection::open(file_in(folder.path())).unwrap().execute_batch(cut).unwrap();
    let refused = format!("{:#}", Journal::open(&state, Policy::Group).unwrap_err());
    assert!(refused.contains("row 10 is missing") && refused.contains("verify"), "{refused}");
}

#[test]
fn runs_are_counted_and_meta_kept() {
    let (_folder, state) = filled();
    {
        let journal = Journal::open(&state, Policy::Group).unwrap();
        assert_eq!((journal.next_run().unwrap(), journal.next_run().unwrap()), (1, 2));
        journal.set_meta("clean", "yes").unwrap();
    }
    let journal = Journal::open(&state, Policy::Group).unwrap();
    assert_eq!(journal.next_run().unwrap(), 3);
    assert_eq!(journal.meta("clean").unwrap().as_deref(), Some("yes"));
    assert_eq!(journal.meta("nothing").unwrap(), None);
}

#[test]
fn a_state_folder_has_one_owner() {
    let folder = TempDir::new().unwrap();
    let first = StateDir::open(folder.path()).unwrap();
    let refused = StateDir::open(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("another engine owns"), "{refused}");
    assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    drop(first);
    StateDir::open(folder.path()).unwrap();
}

#[test]
fn what_is_no_journal_is_refused() {
    let folder = TempDir::new().unwrap();
    assert!(Reader::open(folder.path()).unwrap_err().to_string().contains("has no journal"));
    std::fs::write(file_in(folder.path()), "not a database, but long enough to be looked at")
        .unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    let refused = format!("{:#}", Journal::open(&state, Policy::Group).unwrap_err());
    assert!(refused.contains("journal.db") && refused.contains("not a database"), "{refused}");
}

#[test]
fn the_log_is_copied_while_appending() {
    let folder = TempDir::new().unwrap();
    let state = StateDir::open(folder.path()).unwrap();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let body = "x".repeat(200);
    for n in 0..3 * i64::try_from(CHECKPOINT_ROWS).unwrap() / 64 {
        let rows: Vec<_> = (0..64).map(|_| row(n, &body)).collect();
        journal.append(&rows).unwrap();
    }
    assert_eq!(journal.verify().unwrap().problems, []);
    drop(journal);
    let log = folder.path().join("journal.db-wal");
    assert!(!log.exists() || std::fs::metadata(log).unwrap().len() == 0);
}

#[test]
fn sends_of_the_last_minutes_survive_a_restart() {
    let (_folder, state) = filled();
    let now = clock::now();
    let ago = |secs| now.minus(Span::from_secs(secs));
    let send = |lane, at| Send { lane, at };
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let body = [row(6, "{}")];
    let both = [send("mercadobitcoin", ago(70)), send("flowbtc", ago(2))];
    assert_eq!(journal.commit(&body, &[], &both).unwrap(), 11, "sends are no rows");
    assert_eq!(journal.commit(&[], &[], &[send("mercadobitcoin", ago(1))]).unwrap(), 11);
    assert_eq!(journal.commit(&[], &[], &[send("flowbtc", ago(3_600))]).unwrap(), 11);
    assert_eq!(journal.verify().unwrap().problems, []);
    drop(journal);
    let journal = Journal::open(&state, Policy::Group).unwrap();
    let minute = journal.sends(ago(60)).unwrap();
    let expected = [("flowbtc", vec![ago(2)]), ("mercadobitcoin", vec![ago(1)])];
    assert_eq!(minute, expected.map(|(lane, at)| (lane.to_owned(), at)).into());
    // Opening forgot what no venue counts any more, and nothing else.
    let all = journal.sends(Time::ZERO).unwrap();
    assert_eq!(all["mercadobitcoin"], [ago(70), ago(1)]);
    assert_eq!(all["flowbtc"], [ago(2)]);
}

#[test]
fn sends_of_a_clock_that_was_set_back_count_as_now() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let later = clock::now().plus(Span::from_secs(3_600));
    journal.commit(&[], &[], &[Send { lane: "flowbtc", at: later }]).unwrap();
    let sends = journal.sends(Time::ZERO).unwrap();
    assert!(sends["flowbtc"][0] < later);
}

#[test]
fn old_sends_are_forgotten_while_running() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let old = [Send { lane: "flowbtc", at: Time::from_nanos(1) }; 100];
    let rounds = sends::PRUNE_EVERY.div_ceil(old.len());
    for _ in 1..rounds {
        journal.commit(&[], &[], &old).unwrap();
    }
    assert_eq!(journal.sends(Time::ZERO).unwrap()["flowbtc"].len(), (rounds - 1) * old.len());
    journal.commit(&[], &[], &old).unwrap();
    assert_eq!(journal.sends(Time::ZERO).unwrap().len(), 0);
}

#[test]
fn what_strategies_remember_is_there_with_the_rows_of_its_commit() {
    let (folder, state) = filled();
    let kept = |name, value, at| Kept { at: Time::from_nanos(at), strategy: "ema", name, value };
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let both = [kept("a", Some(r#"{"n":-0,"list":[0.1,"x"]}"#), 6), kept("b", Some("1"), 6)];
    journal.commit(&[row(6, "{}")], &both, &[]).unwrap();
    journal.commit(&[], &[kept("b", None, 7), kept("none", None, 7)], &[]).unwrap();
    journal.commit(&[], &[kept("c", Some("true"), 8)], &[]).unwrap();
    journal.commit(&[], &[kept("c", Some("false"), 9)], &[]).unwrap();
    // As a process that is killed now leaves it.
    let copy = TempDir::new().unwrap();
    for file in ["journal.db", "journal.db-wal"] {
        std::fs::copy(folder.path().join(file), copy.path().join(file)).unwrap();
    }
    let after = StateDir::open(copy.path()).unwrap();
    let recovered = Journal::open(&after, Policy::Group).unwrap();
    assert_eq!(recovered.seq(), 11, "what is remembered is no row");
    let memory = recovered.memory().unwrap();
    assert_eq!(memory.keys().collect::<Vec<_>>(), ["ema"]);
    assert_eq!(memory["ema"].keys().collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(memory["ema"]["a"].json(), r#"{"n":-0,"list":[0.1,"x"]}"#);
    assert_eq!(memory["ema"]["c"], Plain::Bool(false));
    assert_eq!(recovered.verify().unwrap().problems, []);
}

#[test]
fn a_commit_that_fails_keeps_neither_rows_nor_memory() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let broken =
        "CREATE TRIGGER full BEFORE INSERT ON memory BEGIN SELECT RAISE(FAIL, 'full'); END";
    journal.connection.execute_batch(broken).unwrap();
    let kept = [Kept { at: Time::ZERO, strategy: "ema", name: "a", value: Some("1") }];
    assert!(journal.commit(&[row(6, "{}")], &kept, &[]).is_err());
    assert_eq!((journal.seq(), journal.rows(11, 9).unwrap().len()), (10, 0));
    assert!(journal.memory().unwrap().is_empty());
}

#[test]
fn damaged_memory_is_told_by_its_name() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let kept = [Kept { at: Time::ZERO, strategy: "ema", name: "a", value: Some("{\"n\":") }];
    journal.commit(&[], &kept, &[]).unwrap();
    let told = format!("{:#}", journal.memory().unwrap_err());
    assert!(told.contains("what ema remembers as a is damaged"), "{told}");
}

#[test]
fn calls_of_a_day_are_found() {
    let (_folder, state) = filled();
    let mut journal = Journal::open(&state, Policy::Group).unwrap();
    let call = |at, body| Row { kind: "call", ..row(at, body) };
    journal.append(&[call(20, "old"), row(30, "order"), call(31, "a"), call(40, "b")]).unwrap();
    let found = journal.calls(Time::from_nanos(30)).unwrap();
    assert_eq!(found.iter().map(|row| row.body.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}
