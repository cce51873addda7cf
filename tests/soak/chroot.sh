#!/usr/bin/env bash
# chroot.sh TOP [RELEASE] - build and test in a bare Debian of another release
#
# Makes it with debootstrap (as root), copies what git knows of TOP into it,
# builds with the address and undefined sanitizers, runs the suites unit, arch
# and e2e there. Default: trixie, whose libre is 2.0.1. Packages come from
# where this machine gets its own. Skipped (77) without root or debootstrap.
set -eu
top=$(cd "$1" && pwd)
release=${2:-trixie}

skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" = 0 ] || skip "debootstrap needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"

# Where this machine's own Debian packages come from, and through what
# shellcheck disable=SC2016  # apt's variables, not the shell's
mirror=$(apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL)' \
	'Created-By: Packages' | awk '$2 == "Debian" && $3 == "Debian" {
	print $1; exit }')
[ -n "$mirror" ] || skip "apt knows no mirror of Debian"
proxy=$(apt-config shell P Acquire::http::Proxy | sed "s/^P='\(.*\)'$/\1/")
[ -z "$proxy" ] || export http_proxy=$proxy

packages=gcc,libc6-dev,meson,ninja-build,pkg-config,libre-dev,librem-dev
packages+=,portaudio19-dev,libopus-dev,libspeexdsp-dev,libncurses-dev
packages+=,libsndfile1-dev,libsrtp2-dev,libssl-dev,libjansson-dev
packages+=,libspandsp-dev,libexpat1-dev,libcmocka-dev,python3,shellcheck,binutils,procps
packages+=,tmux,git,iproute2,sox,sip-tester,baresip-core

root=$(mktemp -d "${TMPDIR:-/tmp}/offhook-$release.XXXXXX")
mounted=()
leave() {
	local m
	for m in "${mounted[@]}"; do
		umount -R "$m" || umount -l "$m"
	done
	# never into something that is still mounted
	if ! grep -q " $root/" /proc/mounts; then
		rm -rf "$root"
	fi
}
trap leave EXIT

echo "== debootstrap $release"
debootstrap --variant=minbase --components=main --include="$packages" \
	"$release" "$root" "$mirror" >"$root.log" 2>&1 || {
	tail -n 20 "$root.log"
	exit 1
}
rm -f "$root.log"
# a place of its own: network namespaces are made under what is mounted
mount --bind "$root" "$root" && mounted=("$root")
mount --bind /dev "$root/dev" && mounted=("$root/dev" "${mounted[@]}")
mount --bind /dev/pts "$root/dev/pts" && mounted=("$root/dev/pts" "${mounted[@]}")
mount -t proc proc "$root/proc" && mounted=("$root/proc" "${mounted[@]}")
mount -t sysfs sys "$root/sys" && mounted=("$root/sys" "${mounted[@]}")

chmod 755 "$root"        # others look into it, too: a test is another user
mkdir "$root/src"
git -C "$top" ls-files -z | tar -C "$top" --null -T - -cf - | tar -C "$root/src" -xf -

cat >"$root/src/in-chroot" <<'EOF'
set -eu
cd /src
export HOME=/root LC_ALL=C.UTF-8
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
git init -q . && git add -A >/dev/null
. /etc/os-release
echo "== $PRETTY_NAME, libre $(pkg-config --modversion libre), $(gcc --version | head -n 1)"
meson setup build-test -Db_lundef=false -Db_sanitize=address,undefined >setup.log || {
	tail -n 30 setup.log
	exit 1
}
ninja -C build-test >build.log || { tail -n 40 build.log; exit 1; }
meson test -C build-test --no-rebuild --suite unit --suite arch --suite e2e \
	--print-errorlogs || true
bad=0
python3 tests/tools/sum-up build-test/meson-logs/testlog.json || bad=1
echo "== selftest"
meson setup build -Dtests=false --buildtype=release >setup.log
ninja -C build >build.log || { tail -n 40 build.log; exit 1; }
build/src/offhook selftest || bad=1
exit $bad
EOF
chroot "$root" bash /src/in-chroot
