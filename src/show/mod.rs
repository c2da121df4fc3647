//! What people look at: tables, status lines, reports.
