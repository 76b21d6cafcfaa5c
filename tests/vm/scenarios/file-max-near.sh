# A program opens more and more files. The kernel counts them for each CPU and compares a sum that may be 128 too low.
key fs.file-max 30000
traffic files 25400
report near
key fs.file-max 25000
load file-refused
report full
follow
report followed
