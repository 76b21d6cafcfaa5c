# Runs a command on a made-up /proc: a copy of what this tool reads, damaged by a piece of shell, bound over the real one.
# To be run in mount and network namespaces of its own:
#   unshare --mount --net sh damaged_proc.sh TREE DAMAGE COMMAND...
set -eu
tree=$1 damage=$2
shift 2
ip link set lo up
mkdir -p "$tree/thread-self/net" "$tree/self/ns" "$tree/sys"
for file in netstat snmp snmp6 sockstat sockstat6 softnet_stat tcp tcp6; do
    cat "/proc/self/net/$file" > "$tree/thread-self/net/$file"
done
for file in cpuinfo meminfo stat uptime; do
    cat "/proc/$file" > "$tree/$file"
done
ln -s "$(readlink /proc/self/ns/net)" "$tree/self/ns/net"
# A key that can only be written, such as route/flush, cannot be copied.
cp -r /proc/sys/net "$tree/sys/net" 2> /dev/null || true
mkdir -p "$tree/sys/fs"
cat /proc/sys/fs/file-nr > "$tree/sys/fs/file-nr"
chmod -R a+rX "$tree"
(cd "$tree" && eval "$damage")
mount --bind "$tree" /proc
exec "$@"
