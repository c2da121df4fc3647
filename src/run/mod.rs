//! Wirings: live and paper, backtest, served venues.
