//! What several subjects need: recorded data where it is present, instruments, candidates.

use lunario::base::{Decimal, Fees, Instrument, InstrumentId, VenueName};
use lunario::lua::Candidate;
use std::path::{Path, PathBuf};

/// A file of the recorded data beside the project, or `None` with a word about the skipped test.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let roots = [root.join("../shared"), root.join("../../shared")];
    let found = roots.iter().map(|root| root.join(path)).find(|file| file.exists());
    if found.is_none() {
        eprintln!("skipped: recorded data is not here ({path})");
    }
    found
}

/// FlowBTC's BTCBRL with a tick of 0.01, a lot of 0.00000001 and fees of 0.1 %.
pub fn btcbrl() -> Instrument {
    let fee = Decimal::new(1, 3);
    Instrument {
        id: InstrumentId(0),
        venue: VenueName::new("flowbtc"),
        symbol: "BTCBRL".into(),
        base: "BTC".into(),
        quote: "BRL".into(),
        tick_size: Decimal::new(1, 2),
        lot_size: Decimal::new(1, 8),
        min_qty: Decimal::new(1, 8),
        fees: Fees { maker: fee, taker: fee },
    }
}

/// A script file with what it requires.
pub fn candidate(file: &Path) -> Candidate {
    let folder = file.parent().unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    let mut read =
        |path: &str| std::fs::read_to_string(folder.join(path)).map_err(|e| e.to_string());
    lunario::lua::collect(name, &mut read).unwrap()
}

/// A script of the project's own folder.
pub fn script(name: &str) -> Candidate {
    candidate(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(format!("{name}.luau")))
}
