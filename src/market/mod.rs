//! What the market looks like now: books, quotes, history.
