#!/bin/sh
# Tries README's two commands, as committed, on a system on which nothing is but git and make: without a right to install
# anything, then as root. As root: sh scripts/try-bare.sh trixie (or bookworm, which is too old and says so; or Ubuntu's
# noble). More arguments are debootstrap's: noble wants --keyring=FILE, or --no-check-gpg where nobody has Ubuntu's.
# The network's settings are this machine's: resolv.conf, pip.conf, the certificates it trusts.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
[ $# -gt 0 ] || {
    printf '%s\n' "Usage: sh scripts/try-bare.sh trixie|bookworm|noble [OPTION…]" >&2
    exit 2
}
release=$1
shift
[ "$(id -u)" = 0 ] || die "debootstrap needs root."

mirror=http://deb.debian.org/debian
recipe=$release
command -v debootstrap >/dev/null 2>&1 || missing="$missing debootstrap"
if [ "$release" = noble ]; then
    mirror=http://archive.ubuntu.com/ubuntu
    recipe=gutsy # that of all of Ubuntu's
fi
install_missing "the trial"

folder=$(mktemp -d /var/tmp/bare-XXXXXX)
chmod 755 "$folder"
trap 'rm -rf --one-file-system "$folder"' EXIT
trap 'exit 130' INT TERM HUP
say "Making $release in $folder …"
debootstrap "$@" --variant=minbase --include=git,make,ca-certificates "$release" "$folder" "$mirror" \
    "/usr/share/debootstrap/scripts/$recipe" >"$folder.log" 2>&1 || die "debootstrap failed: $(tail -n 1 "$folder.log") ($folder.log)"
rm "$folder.log"
for file in /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$file" ] || cp "$file" "$folder$file"
done
[ "$release" != noble ] || echo "deb $mirror noble main universe" >"$folder/etc/apt/sources.list"
git clone --quiet . "$folder/srv/hsh-lpg"

cat >"$folder/srv/try.sh" <<'EOT'
cd /srv/hsh-lpg
set -u
port=8765

echo "== make run, without a right to install anything"
cp -R . /srv/of-nobody
chown -R nobody /srv/of-nobody
(cd /srv/of-nobody && setpriv --reuid nobody --clear-groups make run) && exit 1

echo "== make run, as root"
PORT=$port make run &
run=$!
until .venv/bin/python -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/api/health/ready/')" 2>/dev/null; do
    kill -0 "$run" 2>/dev/null || exit 1
    sleep 1
done
echo "It answers that it is ready."
kill "$run"
wait "$run"

echo "== make test"
make test ARGS="tests/accounts tests/imports -x"
EOT
# In namespaces of its own, so that nothing stays mounted and no process is left, however it ends.
unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mkdir -p "$1/dev/shm" && mount -t tmpfs tmpfs "$1/dev/shm" &&
        exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME= LANG=C.UTF-8 sh /srv/try.sh' sh "$folder" ||
    die "The trial on $release failed."
say "The trial on $release went through."
