# A program opens more and more files.
key fs.file-max 30000
traffic files 25000
report near
key fs.file-max 25000
load file-refused
report full
follow
report followed
