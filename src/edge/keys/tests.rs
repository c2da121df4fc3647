//! Tonces that outlive the process, and one process per key.

use super::*;
use tempfile::TempDir;

const VENUE: &str = "mercadobitcoin";

fn keep(name: &str, value: i64) -> Keep {
    Keep { name: name.to_owned(), value }
}

#[test]
fn a_tonce_outlives_the_process_and_belongs_to_its_key() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("made/keys");
    let key = Secret::new("canary-key");
    let mut held = Held::take(&folder, VENUE, &key).unwrap();
    assert_eq!(held.last(), 0);
    let name = held.name().to_owned();
    assert_eq!(name, format!("mercadobitcoin/tonce/{}", mark(&key)));
    held.keep(&keep(&name, 1_700_000_000)).unwrap();
    held.keep(&keep(&name, 1_700_000_001)).unwrap();
    drop(held);
    assert_eq!(Held::take(&folder, VENUE, &key).unwrap().last(), 1_700_000_001);
    assert_eq!(Held::take(&folder, VENUE, &Secret::new("another")).unwrap().last(), 0);
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let said = format!("{} {}", path.display(), std::fs::read_to_string(&path).unwrap());
        assert!(!said.contains("canary"), "{said}");
    }
}

#[test]
fn numbers_rise_and_are_the_keys_own() {
    let folder = TempDir::new().unwrap();
    let mut held = Held::take(folder.path(), VENUE, &Secret::new("key")).unwrap();
    let name = held.name().to_owned();
    held.keep(&keep(&name, 10)).unwrap();
    for (name, value, says) in [
        (name.as_str(), 10, "would repeat a tonce"),
        (name.as_str(), 9, "would repeat a tonce"),
        ("mercadobitcoin/tonce/other", 11, "is not held by this process"),
    ] {
        let error = held.keep(&keep(name, value)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    assert_eq!(held.last(), 10);
}

#[test]
fn a_second_holder_of_a_key_is_refused() {
    let folder = TempDir::new().unwrap();
    let key = Secret::new("canary-key");
    let first = Held::take(folder.path(), VENUE, &key).unwrap();
    let error = Held::take(folder.path(), VENUE, &key).unwrap_err().to_string();
    assert!(
        error.contains("another process trades on mercadobitcoin with the same key"),
        "{error}"
    );
    assert!(error.contains(&mark(&key)) && !error.contains("canary"), "{error}");
    drop(first);
    assert!(Held::take(folder.path(), VENUE, &key).is_ok());
}

#[test]
fn a_damaged_file_is_not_taken_for_a_fresh_key() {
    let folder = TempDir::new().unwrap();
    let key = Secret::new("key");
    std::fs::write(folder.path().join(format!("{VENUE}-{}", mark(&key))), "12x\n").unwrap();
    let error = Held::take(folder.path(), VENUE, &key).unwrap_err().to_string();
    assert!(error.contains("does not hold a tonce"), "{error}");
}

#[test]
fn the_folder_is_the_users() {
    let none: [(&str, &str); 0] = [];
    for (set, expected) in [
        (&[("LUNARIO_KEYS", "/k"), ("XDG_STATE_HOME", "/s"), ("HOME", "/h")][..], Some("/k")),
        (&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")][..], Some("/s/lunario/keys")),
        (&[("HOME", "/h")][..], Some("/h/.local/state/lunario/keys")),
        (&none[..], None),
    ] {
        let variable = |name: &str| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(folder_of(&variable).ok(), expected.map(PathBuf::from));
    }
}
