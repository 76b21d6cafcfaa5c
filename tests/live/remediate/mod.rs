//! `remediate` on real terminals, with the kernel's own sysctls of private network namespaces. Root, tmux and python3 are
//! needed.

mod ends;
mod faults;
mod kept;
mod keys;
mod scene;
mod screens;
