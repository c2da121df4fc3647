//! The contracts' vectors: MB-T01 to T09, FLOW-T06, FLOW-T07; and RFC 6238's and RFC 4648's.

use super::{base32, basic, code_step, flowbtc, mercadobitcoin, one_time_code};
use crate::base::{Secret, Time};

/// MB-T01 to T09; T08 is the first version's message, which this one signs like any other text
/// and the venue refuses because it is not the body.
#[test]
fn mercado_bitcoin_signs_the_body_as_it_is_sent() {
    for (id, secret, body, sign) in [
        (
            "MB-T01",
            "segredo-de-teste",
            "method=getInfo&tonce=1230989541",
            "513b19380460a47d3ce9d85fcb69ee26b5f3889566d6c1934247c1939a7819dff2836f36da49cc417c49e6f61ad61a2257ad7f5a271c8684768d41ac0ef2e5c5",
        ),
        (
            "MB-T02",
            "segredo-de-teste",
            "tonce=1230989541&method=getInfo",
            "1ff8e05ea43c9bb77d9c96afeeafc8dd905f76e3610197a2cb7459e02acdd281c768e175b29dfdb1d5be5ec1f6e11b85275eca51f392646eb4b65bda4abc97f6",
        ),
        (
            "MB-T03",
            "segredo-de-teste",
            "method=Trade&tonce=1381414719&pair=btc_brl&type=sell&volume=0.50000000&price=400.00000",
            "7c66ba760cdbfb33a956a51e212000e2a10d2a70326bb53b7d306bc68bf50033de0e16fe8fd96ed8af90aa1c2196685df166ed710b4227bf8795fa657e9565e4",
        ),
        (
            "MB-T04",
            "segredo-de-teste",
            "method=OrderList&tonce=1378929200&pair=ltc_brl&type=sell&status=completed&from_id=1&end_id=2000&since=1377265355&end=1378929161",
            "5214092a4a602fc920261495fad905689ee0d09b231534a2b45ce2a0b17ee28a8fb850042e96dfd6497f536e0827e3305b2e5e149853ab0aa02c32111bc4d782",
        ),
        (
            "MB-T05",
            "segredo-de-teste",
            "method=CancelOrder&tonce=1381414720&pair=btc_brl&order_id=27176",
            "cf747592362c713539954d5af495e83219f88e7ad92652ea6472929dabd6412e315409e2e4c94521b4e4311a1101a7d8c27a4ff1e2d9754612f6beb153f7cd9f",
        ),
        (
            "MB-T06",
            "segredo-de-teste",
            "method=withdrawal_bitcoin&tonce=1387493109&volume=0.50000000&bitcoin_address=1G38ybvfUyn96aJbKnzkifX2eEMH9N87ww",
            "f8b7f51c66ca3470439aa64637cbabcaca99ba38ab52ceef9972c7f96efe72460bfdc7f8e125a1a1f02d324d3542ce757da58b7d81fb77d6142c85fa94898e89",
        ),
        (
            "MB-T07",
            "secret",
            "method=getInfo&tonce=1230989541",
            "ef2cc235abe28651fdfd48a1d5f0cc0a56c78b752897d2df6878021439ca45bd890ee2bfa5b23532b5467ba9090871dfced8de3f42d9825f8518456cc3f39664",
        ),
        (
            "MB-T08",
            "segredo-de-teste",
            "getInfo:1234:1230989541",
            "9dd60606b394e6d4bdd29d4c92d8fb8acd78f99a161a0866f4732567bf8a40da59dcb5d30cf873185ccc7dede189a0f5059bca390d901fa95adc2f26f66c31b3",
        ),
        (
            "MB-T09",
            "segredo-de-teste",
            "method=Trade&tonce=1381414719&note=a+b%26c%3D%C3%A7",
            "6a2a2ba2a665ff305e5056cd885d7bedde3e6e31beb8258da14ca3a9211eac5ffad8ed80a39b650942959042ee714617f0ac41557dd8155fcf35096ce0a574b8",
        ),
    ] {
        let signed = mercadobitcoin(&Secret::new(secret), body.as_bytes());
        assert_eq!(signed.expose(), sign, "{id}");
    }
}

#[test]
fn flow_t06_api_key_login() {
    for (secret, nonce, user, key, sign) in [
        (
            "s3cr3t",
            "1602269461897",
            5,
            "0123456789abcdef0123456789abcdef",
            "3031e5940dbe4860354cfc1ae6cd8554e330eee734beb7d24c145939a1ee1506",
        ),
        (
            "test-secret",
            "2247733562",
            96,
            "28c68ac3fcfafc3d4e8d653fe57e5baf",
            "e7090b97250335a14c2cbc209a860984ab875f5978442feb17943f5e2fbed78e",
        ),
    ] {
        assert_eq!(flowbtc(&Secret::new(secret), nonce, user, key).expose(), sign);
    }
}

#[test]
fn flow_t07_rest_basic() {
    let header = basic("user@example.com", &Secret::new("pw"));
    assert_eq!(header.expose(), "Basic dXNlckBleGFtcGxlLmNvbTpwdw==");
    assert_eq!(format!("{header} {header:?}"), "*** ***");
}

/// RFC 4648, section 10.
#[test]
fn base64_of_every_length() {
    for (text, encoded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(super::base64(text.as_bytes()), encoded);
    }
}

/// RFC 6238, appendix B: the last six of the eight digits there.
#[test]
fn one_time_codes_are_those_of_the_rfc() {
    let secret = Secret::new("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    for (seconds, code) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
    ] {
        let step = code_step(Time::from_millis(seconds * 1_000));
        let told = one_time_code(&secret, step).unwrap();
        assert_eq!(told.expose(), code, "{seconds}");
    }
    let far = one_time_code(&secret, 20_000_000_000 / 30).unwrap();
    assert_eq!(far.expose(), "353130");
    assert_eq!(one_time_code(&secret, -1), None);
    assert_eq!(one_time_code(&Secret::new("not base32!"), 1), None);
    assert_eq!(one_time_code(&Secret::new(""), 1), None);
}

#[test]
fn a_step_begins_every_thirty_seconds() {
    let check = |millis, step| assert_eq!(code_step(Time::from_millis(millis)), step, "{millis}");
    check(0, 0);
    check(29_999, 0);
    check(30_000, 1);
    check(59_000, 1);
}

/// RFC 4648, section 10.
#[test]
fn base32_as_authenticator_apps_take_it() {
    for (text, bytes) in [
        ("MY======", "f"),
        ("MZXQ====", "fo"),
        ("MZXW6===", "foo"),
        ("MZXW6YQ=", "foob"),
        ("MZXW6YTB", "fooba"),
        ("mzxw 6ytb-oi", "foobar"),
    ] {
        assert_eq!(base32(text).as_deref(), Some(bytes.as_bytes()), "{text}");
    }
}
