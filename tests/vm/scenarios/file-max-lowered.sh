# The number of an old guide.
key fs.file-max 8192
report fault
follow
report followed
