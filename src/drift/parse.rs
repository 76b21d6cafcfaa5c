//! Lines of a file.
