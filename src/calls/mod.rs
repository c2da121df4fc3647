//! The documented calls of each venue, one table per venue.
