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

const MODULES: &[(&str, &str)] = &[("@std/class", include_str!("../../stdlib/class.luau"))];
