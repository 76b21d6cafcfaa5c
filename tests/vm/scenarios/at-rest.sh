# Not a rule: the machine as it has booted. Nothing is to be said of it.
report rest
