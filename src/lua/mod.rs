//! The host of the scripts: the only room that knows the VM.
