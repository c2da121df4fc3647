//! What we have and owe: orders and their states, positions and profit, metrics.
