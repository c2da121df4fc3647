//! The standard library: Luau sources shipped inside the binary, by module name.

/// The text of `@std/name`, if there is such a module.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of all modules.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

const MODULES: &[(&str, &str)] = &[
    ("@std/bars", include_str!("../../stdlib/bars.luau")),
    ("@std/check", include_str!("../../stdlib/check.luau")),
    ("@std/class", include_str!("../../stdlib/class.luau")),
    ("@std/decimal", include_str!("../../stdlib/decimal.luau")),
    ("@std/decimal/natural", include_str!("../../stdlib/decimal/natural.luau")),
    ("@std/ordered", include_str!("../../stdlib/ordered.luau")),
    ("@std/orders", include_str!("../../stdlib/orders.luau")),
    ("@std/orders/bracket", include_str!("../../stdlib/orders/bracket.luau")),
    ("@std/orders/ledger", include_str!("../../stdlib/orders/ledger.luau")),
    ("@std/orders/schedule", include_str!("../../stdlib/orders/schedule.luau")),
    ("@std/orders/spec", include_str!("../../stdlib/orders/spec.luau")),
    ("@std/orders/trailing", include_str!("../../stdlib/orders/trailing.luau")),
    ("@std/sentra_sync", include_str!("../../stdlib/sentra_sync.luau")),
    ("@std/sentra_sync/kept", include_str!("../../stdlib/sentra_sync/kept.luau")),
    ("@std/sentra_sync/records", include_str!("../../stdlib/sentra_sync/records.luau")),
    ("@std/stats", include_str!("../../stdlib/stats.luau")),
    ("@std/stats/online", include_str!("../../stdlib/stats/online.luau")),
    ("@std/stats/performance", include_str!("../../stdlib/stats/performance.luau")),
    ("@std/stats/quantile", include_str!("../../stdlib/stats/quantile.luau")),
    ("@std/ta", include_str!("../../stdlib/ta.luau")),
    ("@std/ta/averages", include_str!("../../stdlib/ta/averages.luau")),
    ("@std/ta/channels", include_str!("../../stdlib/ta/channels.luau")),
    ("@std/ta/inputs", include_str!("../../stdlib/ta/inputs.luau")),
    ("@std/ta/momentum", include_str!("../../stdlib/ta/momentum.luau")),
    ("@std/ta/statistics", include_str!("../../stdlib/ta/statistics.luau")),
    ("@std/ta/trend", include_str!("../../stdlib/ta/trend.luau")),
    ("@std/ta/volume", include_str!("../../stdlib/ta/volume.luau")),
    ("@std/window", include_str!("../../stdlib/window.luau")),
    ("@std/window/extreme", include_str!("../../stdlib/window/extreme.luau")),
    ("@std/window/moments", include_str!("../../stdlib/window/moments.luau")),
    ("@std/window/sorted", include_str!("../../stdlib/window/sorted.luau")),
];
