//! A live run's news on stdout, line by line.

use super::output;
use crate::base::{Instruments, Time};
use crate::edge::watch;
use crate::run::live::{LiveEnd, Told as News};
use crate::run::options::Output;
use crate::run::scripts::Scripts;
use crate::show::events::Stopped;
use crate::show::style::Style;
use crate::show::teller::{Form, Sources, Teller};
use std::path::Path;

/// A teller in the form the output wants.
pub(super) fn teller(output: Output, instruments: Instruments, now: Time) -> Teller {
    let form = match output {
        Output::Json => Form::Json,
        Output::People { color } => Form::People(Style { color }),
    };
    Teller::new(form, instruments, now)
}

/// Prints one piece of news.
pub(super) fn tell(teller: &mut Teller, news: &News, scripts: &Scripts) {
    let files = Files(scripts);
    let lines = match news {
        News::Note { at, name, note } => teller.note(*at, name, note, &files),
        News::Status { at, strategies, events } => teller.status(*at, strategies, *events, &files),
        News::CodeWanted { .. } => Vec::new(),
    };
    for line in lines {
        // A reader that has gone away does not stop a run.
        drop(output::line(&line));
    }
}

/// How the run ended, for the teller.
pub(super) fn stopped(end: &LiveEnd) -> Stopped {
    let reason = match (end.interrupted, end.halted, end.strategies.is_empty()) {
        (true, ..) => "interrupted",
        (_, true, _) => "the time is over; every strategy was halted",
        (_, _, true) => "the time is over; no strategy ever ran",
        (false, false, false) => "the time is over",
    };
    Stopped {
        reason: reason.to_owned(),
        open: end.open_orders,
        interrupted: end.interrupted,
        events: end.events,
        orders: end.orders,
        strategies: end.strategies.clone(),
    }
}

/// The scripts as they are on disk now.
struct Files<'a>(&'a Scripts);

impl Sources for Files<'_> {
    fn names(&self) -> Vec<&str> {
        self.0.names().collect()
    }

    fn shown(&self, strategy: &str, file: &str) -> String {
        self.0.shown(strategy, file)
    }

    fn missing(&self, strategy: &str) -> Option<String> {
        let file = self.0.file(strategy).filter(|file| !file.exists())?;
        Some(file.display().to_string())
    }

    fn text(&self, file: &str) -> Option<String> {
        watch::load_text(Path::new(file)).ok()
    }
}
