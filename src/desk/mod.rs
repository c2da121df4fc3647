//! What a strategy sees and may ask.
