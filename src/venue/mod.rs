//! The client halves of the venues' protocols, without I/O.
