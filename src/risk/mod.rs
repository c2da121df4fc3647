//! The gate's rules. The only maker of `Approved`.
