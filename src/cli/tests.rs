//! Arguments as users write them: what they mean, and what is said of those that mean nothing.

use super::args::{balance, duration, fees, instrument, pair, queue, speed, time};
use super::*;
use crate::base::{Span, decimal};
use crate::run::options::{Pace, QueueModel};
use clap::CommandFactory;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn the_command_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn durations_are_exact() {
    for (text, nanos) in [
        ("10ms", 10_000_000),
        ("30s", 30_000_000_000),
        ("5m", 300_000_000_000),
        ("1.5s", 1_500_000_000),
        ("2h", 7_200_000_000_000),
        ("1d", 86_400_000_000_000),
        ("250us", 250_000),
        ("7ns", 7),
        ("0", 0),
        ("0s", 0),
    ] {
        assert_eq!(duration(text), Ok(Span::from_nanos(nanos)), "{text}");
    }
    for text in ["", "5", "ms", "-1s", "1.5ns", "1x", "1 s", "999999999d", "1.2.3s"] {
        assert!(duration(text).is_err(), "{text}");
    }
}

#[test]
fn instruments_carry_their_rules() {
    let option = instrument("flowbtc:BTCBRL,tick=0.01,lot=0.00000001").unwrap();
    assert_eq!(option.name(), "flowbtc:BTCBRL");
    assert_eq!(option.tick, decimal::parse("0.01").ok());
    assert_eq!(option.lot, decimal::parse("0.00000001").ok());
    assert_eq!(instrument("flowbtc:BTCBRL").unwrap().tick, None);
    assert_eq!(instrument("x:AB,base=A,quote=B").unwrap().quote.as_deref(), Some("B"));
    for (text, says) in [
        ("BTCBRL", "venue:symbol"),
        (":BTC", "venue:symbol"),
        ("flowbtc:BTCBRL,tik=1", "did you mean `tick`"),
        ("flowbtc:BTCBRL,tick=0", "above zero"),
        ("flowbtc:BTCBRL,tick=-1", "negative"),
        ("flowbtc:BTCBRL,tick", "not key=value"),
    ] {
        let error = instrument(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn amounts_fees_and_the_rest() {
    assert_eq!(balance("BRL=100000.50").unwrap().1, decimal::parse("100000.5").unwrap());
    assert!(balance("BRL").is_err() && balance("BRL=-1").is_err() && balance("BRL=x").is_err());
    let both = fees("maker=-0.0001,taker=0.001").unwrap();
    assert_eq!(
        (both.maker, both.taker),
        (decimal::parse("-0.0001").unwrap(), "0.001".parse().unwrap())
    );
    assert_eq!(fees("0.001").unwrap().maker, fees("0.001").unwrap().taker);
    for wrong in ["maker=0.001", "maker=0.001,take=0.001", "10", "maker=1,taker=1", "x"] {
        assert!(fees(wrong).is_err(), "{wrong}");
    }
    assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
    assert_eq!(queue("risk-averse"), Ok(QueueModel::RiskAverse));
    assert!(queue("prob").unwrap_err().contains("risk-averse"));
    assert_eq!((speed("max"), speed("2")), (Ok(Pace::Max), Ok(Pace::Times(2.0))));
    assert!(speed("0").is_err() && speed("-1").is_err() && speed("inf").is_err());
    assert!(time("2024-08-09").is_ok() && time("yesterday").is_err());
}

#[test]
fn every_flag_of_the_contract_is_known() {
    for line in [
        "lunario new trend",
        "lunario check",
        "lunario check scripts a.luau --json",
        "lunario run",
        "lunario run scripts --for 30s --state s --json -v",
        "lunario run --live --config x.toml",
        "lunario backtest a.luau --feed a.csv --feed b.csv --instrument flowbtc:BTCBRL,tick=0.01 \
         --param a=1 --param b=2 --from 2024-01-01 --to 2024-02-01 --balance BRL=100000 \
         --balance BTC=1 --fee maker=0.001,taker=0.001 --latency 10ms --queue none --seed 7 \
         --time-unit ms --json",
        "lunario backtest a.luau --feed a.csv --feed-latency 1ms --order-latency 2ms \
         --report r.html",
        "lunario venue --flowbtc-http 127.0.0.1:0 --flowbtc-ws 127.0.0.1:0 \
         --mercadobitcoin 127.0.0.1:0 --sentra 127.0.0.1:0 --synthetic 4 --speed max --state d \
         --faults f --dialect native --json",
        "lunario venue --feed a.csv --speed 1",
        "lunario journal show --state s --from 5 -n 3 --kind order --strategy ema",
        "lunario --json journal verify",
        "lunario completions bash",
    ] {
        assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
    }
}

#[test]
fn wrong_usage_exits_with_two() {
    for line in [
        "lunario backtest a.luau",
        "lunario backtest --feed a.csv",
        "lunario backtest a.luau --feed a.csv --queue prob",
        "lunario backtest a.luau --feed a.csv --latency 1ms --feed-latency 1ms",
        "lunario backtest a.luau --feed a.csv --time-unit h",
        "lunario run --for 0s",
        "lunario run --live --feed a.csv",
        "lunario venue --feed a.csv --synthetic 1",
        "lunario venue --flowbtc-ws nowhere",
        "lunario fly",
        "lunario run -q -v",
        "lunario",
    ] {
        assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
    }
    assert_eq!(parse("lunario --help").unwrap_err().exit_code(), 0);
    assert_eq!(parse("lunario --version").unwrap_err().exit_code(), 0);
}

#[test]
fn what_parsing_cannot_see_is_refused_as_usage() {
    let says = |line: &str| match dispatch(parse(line).unwrap()) {
        Err(Failure::Usage(error)) => format!("{error:#}"),
        Err(Failure::Work(error)) => panic!("{line}: not usage: {error:#}"),
        Err(Failure::Told) => panic!("{line}: not usage"),
        Ok(outcome) => panic!("{line}: {outcome:?}"),
    };
    for (line, part) in [
        ("lunario run no/such/folder", "lunario new"),
        ("lunario run src --live", "[live]"),
        ("lunario check no/such.luau", "does not exist"),
        ("lunario backtest no.luau --feed no.csv", "SCRIPT"),
        ("lunario backtest Cargo.toml --feed no.csv", "--feed"),
        ("lunario backtest Cargo.toml --feed src", "is a folder"),
        (
            "lunario backtest Cargo.toml --feed Cargo.toml --from 2024-02-01 --to 2024-01-01",
            "not before",
        ),
        (
            "lunario backtest Cargo.toml --feed Cargo.toml --balance A=1 --balance A=2",
            "gives A twice",
        ),
        ("lunario venue --flowbtc-ws 0.0.0.0:9000", "loopback"),
        ("lunario venue --sentra 192.0.2.1:80", "--sentra: 192.0.2.1:80 is not a loopback"),
        ("lunario journal verify --state no/such", "has no journal"),
        ("lunario check src --config no/such.toml", "cannot read no/such.toml"),
    ] {
        assert!(says(line).contains(part), "{line}: {}", says(line));
    }
}
