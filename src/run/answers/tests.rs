//! Raw calls
