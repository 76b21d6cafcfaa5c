//! Plans carried out on a captured tree of files, where the kernel refuses nothing.
