//! Spin's files as typed values.
