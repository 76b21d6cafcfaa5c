# The scenarios of the lab that need a whole machine.
# It is the last one: what it leaves behind on a machine is not what the others are about.
"$program" lab run --all --host --throw-away --wrong --format json >lab.json || cat lab.json
{ printf '{"scenario":"%s","step":"lab","report":' "$SCENARIO"; tr '\n' ' ' <lab.json; echo '}'; } >&3
