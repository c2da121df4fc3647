//! The stopwatch of the benches: a fixed piece of work, run several times, the median told.

use lunario::edge::clock::Stopwatch;
use std::time::Instant;

/// How often each piece of work is timed, after one run to warm up; odd, so that a median is a run.
const RUNS: usize = 7;

/// What was asked for on the command line: `cargo bench -- delivery --feed trades.csv`.
#[derive(Debug, Default)]
pub struct Wish {
    /// Only benches whose name contains one of these; all of them if it is empty.
    pub words: Vec<String>,
    /// A recorded feed in place of the generated one.
    pub feed: Option<std::path::PathBuf>,
}

impl Wish {
    /// Reads the arguments; cargo's own (`--bench`) are passed over.
    pub fn read() -> Wish {
        let mut wish = Wish::default();
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--feed" => wish.feed = args.next().map(Into::into),
                word if word.starts_with('-') => {}
                word => wish.words.push(word.to_owned()),
            }
        }
        wish
    }

    pub fn wants(&self, name: &str) -> bool {
        self.words.is_empty()
            || self.words.iter().any(|word| name.contains(word.as_str()) || word.contains(name))
    }

    pub fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    /// Times `work`, which handles `count` of `unit` each time it is called.
    pub fn rate(&self, name: &str, count: usize, unit: &str, mut work: impl FnMut()) {
        if !self.wants(name) {
            return;
        }
        let taken = times(&mut work);
        let (each, count) = (taken.median * 1e9 / count as f64, count as f64 / 1e6);
        let (usual, most, busy) = (count / taken.median, count / taken.best, count / taken.cpu);
        println!(
            "{name:<44} {each:>10.1} ns/{unit:<6} {usual:>8.2} M/s  (best {most:.2}, a CPU-second \
             {busy:.2})"
        );
    }

    /// Times each of `count` calls by itself.
    #[allow(clippy::disallowed_methods, reason = "a bench is about real time")]
    pub fn spread(&self, name: &str, count: usize, mut work: impl FnMut()) {
        if !self.wants(name) {
            return;
        }
        let each = (0..count).map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64()
        });
        spread(name, each.collect());
    }
}

/// Prints how single times (in seconds) spread.
pub fn spread(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[(times.len() as f64 * part) as usize] * 1e6;
    let count = times.len();
    println!(
        "{name:<44} median {:>8.1} us  p90 {:>8.1}  p99 {:>8.1}  worst {:>8.1}  ({count} times)",
        at(0.5),
        at(0.9),
        at(0.99),
        times[count - 1] * 1e6
    );
}

/// Seconds that one run took.
#[derive(Copy, Clone, Debug)]
pub struct Taken {
    pub median: f64,
    pub best: f64,
    /// On the processor, all threads, as a mean: what a busy machine changes least.
    pub cpu: f64,
}

/// Runs `work` once to warm up, then several times with a watch in the hand.
#[allow(clippy::disallowed_methods, reason = "a bench is about real time")]
pub fn times(work: &mut dyn FnMut()) -> Taken {
    work();
    let watch = Stopwatch::start();
    let mut all: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64()
        })
        .collect();
    let cpu = watch.cpu().map_or(f64::NAN, |cpu| cpu.seconds() / RUNS as f64);
    all.sort_by(f64::total_cmp);
    Taken { median: all[RUNS / 2], best: all[0], cpu }
}
