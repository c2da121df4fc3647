//! What the three servers share: proofs of who speaks, and the counting of faults.

use super::faults::{Fault, Faults, What, When};
use super::proof;
use crate::base::Time;
use proptest::prelude::*;

/// FLOW-T06.
#[test]
fn api_key_signatures() {
    for (secret, message, hex) in [
        (
            "s3cr3t",
            "160226946189750123456789abcdef0123456789abcdef",
            "3031e5940dbe4860354cfc1ae6cd8554e330eee734beb7d24c145939a1ee1506",
        ),
        (
            "test-secret",
            "22477335629628c68ac3fcfafc3d4e8d653fe57e5baf",
            "e7090b97250335a14c2cbc209a860984ab875f5978442feb17943f5e2fbed78e",
        ),
    ] {
        assert!(proof::is_hmac_sha256(secret, message.as_bytes(), hex), "{message}");
        assert!(!proof::is_hmac_sha256(secret, b"other", hex));
        assert!(!proof::is_hmac_sha256("other", message.as_bytes(), hex));
        let upper = hex.to_uppercase();
        assert!(!proof::is_hmac_sha256(secret, message.as_bytes(), &upper), "lower case only");
        assert!(!proof::is_hmac_sha256(secret, message.as_bytes(), &hex[1..]));
        assert!(!proof::is_hmac_sha256(secret, message.as_bytes(), ""));
    }
}

/// FLOW-T07 and RFC 7617's own example.
#[test]
fn basic_credentials() {
    for (header, expected) in [
        ("Basic dXNlckBleGFtcGxlLmNvbTpwdw==", Some(("user@example.com", "pw"))),
        ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some(("Aladdin", "open sesame"))),
        ("Basic YTpiOmM=", Some(("a", "b:c"))),
        ("Bearer YTpiOmM=", None),
        ("Basic !!!!", None),
        ("Basic YWJj", None),
        ("", None),
    ] {
        let expected = expected.map(|(user, password)| (user.to_owned(), password.to_owned()));
        assert_eq!(proof::basic(header), expected, "{header}");
    }
}

/// RFC 6238's table for SHA-1, its last six digits.
#[test]
fn one_time_codes() {
    let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    for (seconds, code, fits) in [
        (59, "287082", true),
        (89, "287082", true),
        (0, "287082", true),
        (120, "287082", false),
        (1_111_111_109, "081804", true),
        (1_234_567_890, "005924", true),
        (2_000_000_000, "279037", true),
        (59, "28708", false),
    ] {
        let now = Time::from_millis(seconds * 1_000);
        assert_eq!(proof::totp_step(secret, code, now).is_some(), fits, "{code} at {seconds}");
    }
}

#[test]
fn faults_strike_when_they_are_due() {
    let fault = |on: &str, when, what| Fault { on: on.to_owned(), when, what };
    let mut faults = Faults::new(vec![
        fault("SendOrder", When::Nth(2), What::DropAfter),
        fault("*", When::Every(3), What::TooMany),
        fault("Ping", When::Every(0), What::NotFound),
    ]);
    let calls = ["sendorder", "SENDORDER", "Ping", "SendOrder", "Ping", "Ping"];
    let struck: Vec<Option<What>> = calls.iter().map(|call| faults.strike(call)).collect();
    let many = Some(What::TooMany);
    assert_eq!(struck, [None, Some(What::DropAfter), many.clone(), None, None, many]);
    faults.set(Vec::new());
    assert_eq!(faults.strike("Ping"), None);
}

proptest! {
    #[test]
    fn proofs_never_panic(text in ".{0,80}", other in ".{0,80}", seconds in any::<i64>()) {
        let _ = proof::basic(&text);
        let _ = proof::totp_step(&text, &other, Time::from_nanos(seconds));
        prop_assert!(!proof::is_hmac_sha512(&text, other.as_bytes(), &text));
        prop_assert!(!proof::is_hmac_sha256(&text, other.as_bytes(), &other));
    }
}
