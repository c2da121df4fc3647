//! The only room that touches the operating system: clock, sockets, files, journal, configuration.
