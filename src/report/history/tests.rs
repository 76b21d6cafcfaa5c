//! Tests of the history's reports.
