# The scenarios of the lab that need a whole machine.
"$program" lab run --all --host --throw-away --wrong --format json >lab.json || cat lab.json
{ printf '{"scenario":"%s","step":"lab","report":' "$SCENARIO"; tr '\n' ' ' <lab.json; echo '}'; } >&3
