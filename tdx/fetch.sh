# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # shares variables with tdx/build
# Debian's packages, for tdx/build: what must be installed, and what is only
# unpacked into the cache.  The latter comes through an apt root of our own,
# because it is in suites that the machine's apt does not know and should not.

# What a build calls.  All of it is in Debian 12 itself.
packages=(
	bc binutils bison flex gcc libattr1-dev libc6-dev libelf-dev libfdt-dev
	libglib2.0-dev make ninja-build pkg-config python3 python3-distlib
	xz-utils zlib1g-dev
)
[[ $llvm ]] && packages+=(clang lld llvm)

debian_codename() {
	# shellcheck source=/dev/null
	(. /etc/os-release && [[ $ID = debian ]] && echo "$VERSION_CODENAME")
}

need_debian() {
	debian_codename >/dev/null 2>&1 ||
		die "not a Debian system: give KSRC=<kernel source> and QEMU_SRC=<QEMU source>"
}

install_packages() {
	local missing

	# Elsewhere the compilers' own messages have to do.
	debian_codename >/dev/null 2>&1 || return 0
	lock packages
	missing=$(comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
		<(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' |
			sed -n 's/^ii *//p' | sort) | tr '\n' ' ')
	if [[ ! $missing ]]; then
		unlock packages
		return
	fi
	if ((EUID)); then
		die "packages are missing; as root: apt-get install -y --no-install-recommends $missing"
	fi
	# shellcheck disable=SC2086 # a list of words
	step "installing $missing" packages apt_install $missing
	unlock packages
}

apt_install() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y --no-install-recommends "$@" || {
		apt-get update && apt-get install -y --no-install-recommends "$@"
	}
}

# The mirror that the machine's apt uses for its own release.
debian_mirror() {
	local codename

	codename=$(debian_codename)
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' |
		awk -v release="$codename" '
			$2 == release && $3 == "main" { print $1; exit }'
}

make_apt_root() {
	local root=$cache/apt mirror
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg

	mirror=$(debian_mirror)
	[[ $mirror ]] || {
		echo "apt knows no Debian mirror"
		return 1
	}
	mkdir -p "$root"/{lists/partial,archives/partial}
	cat >"$root/sources.list" <<-EOF
		deb [signed-by=$keys] $mirror trixie main
		deb [signed-by=$keys] $mirror trixie-backports main
		deb [signed-by=$keys] $mirror bookworm-backports main
		deb-src [signed-by=$keys] $mirror trixie main
		deb-src [signed-by=$keys] $mirror bookworm-backports main
	EOF
	# Its list is long, so it is read for those only who ask for it.
	[[ $qemu_suite != sid ]] ||
		echo "deb-src [signed-by=$keys] $mirror sid main" >>"$root/sources.list"
	# The machine's settings (a proxy, say) hold; its hooks are not for us.
	cat >"$root/apt.conf" <<-EOF
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear DPkg::Post-Invoke;
		Dir::Etc::SourceList "$root/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State "$root";
		Dir::State::Status "/var/lib/dpkg/status";
		Dir::Cache "$root";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
	apt-get -c "$root/apt.conf" update
}

# The suites move on, and what their lists named disappears.
need_apt_root() {
	need_debian
	lock apt
	if [[ ! $(find "$cache/apt/updated" -mmin -60 2>/dev/null) ]] ||
	   ! grep -qsw "$qemu_suite" "$cache/apt/sources.list"; then
		step "reading Debian's package lists" apt make_apt_root
		touch "$cache/apt/updated"
	fi
	unlock apt
}

apt_private() {
	"$1" -c "$cache/apt/apt.conf" "${@:2}"
}

# unpack_debs DIR PACKAGE[/SUITE]...: into DIR, installing nothing
unpack_debs() {
	local dir=$1 deb

	mkdir -p "$dir" "$dir.debs"
	(cd "$dir.debs" && apt_private apt-get download "${@:2}") || return
	for deb in "$dir.debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || return
	done
	rm -rf "$dir.debs"
}

# Meson and the firmware that go with QEMU's suite; prints their directory.
fetch_tools() {
	local suite=$1

	tools=$cache/tools/$suite
	have "tools/$suite" 200 && return
	need_apt_root
	step "fetching meson and firmware of $suite" "tools-$suite" \
		unpack_debs "$tmp/tools" {meson,python3-pycotap,seabios,qemu-system-data}/"$suite"
	keep "$tmp/tools" "tools/$suite"
}

# The versions of QEMU's source in a suite, newest first.
qemu_versions() {
	# shellcheck disable=SC2016 # apt's variable
	apt_private apt-get indextargets --format '$(FILENAME)' \
		'Created-By: Sources' "Codename: $1" |
		xargs -r /usr/lib/apt/apt-helper cat-file |
		awk '/^Package: / { ours = $2 == "qemu" }
			ours && /^Version: / { print $2 }' | sort -rVu
}

unpack_qemu() {
	local suite=$1 dir=$2 version

	mkdir -p "$dir.src" "$dir/tree"
	# Debian's own changes are for its packages.  Of firmware we take what is
	# built; its sources are two thirds of all files.
	# A mirror may not have the newest that it lists.
	(cd "$dir.src" && for version in $(qemu_versions "$suite"); do
		apt_private apt-get source --tar-only --download-only \
			"qemu=$version" && exit
	done && exit 1) || return
	tar -C "$dir/tree" --strip-components=1 --exclude '*/roms/*' \
		-xJf "$dir.src"/qemu_*.orig.tar.xz || return
	cat "$dir/tree/VERSION" >"$dir/version"
	rm -rf "$dir.src"
}

# Sets qemu_tree to QEMU's pristine source and qemu_version to what it is.
fetch_qemu() {
	local dir

	if [[ ${QEMU_SRC:-} ]]; then
		[[ -f $QEMU_SRC/VERSION && -f $QEMU_SRC/target/i386/cpu.h ]] ||
			die "QEMU_SRC=$QEMU_SRC: no QEMU source"
		qemu_tree=$(realpath "$QEMU_SRC")
		qemu_version=$(<"$QEMU_SRC/VERSION")
		return
	fi
	dir=src/qemu-$qemu_suite
	if ! have "$dir" 1000; then
		need_apt_root
		step "fetching QEMU's source of $qemu_suite" "qemu-source-$qemu_suite" \
			unpack_qemu "$qemu_suite" "$tmp/qemu-source"
		keep "$tmp/qemu-source" "$dir"
	fi
	qemu_tree=$cache/$dir/tree
	qemu_version=$(<"$cache/$dir/version")
}

newest_linux() {
	apt_private apt-cache search --names-only '^linux-source-[0-9.]+$' |
		sed 's/^linux-source-\([0-9.]*\) .*/\1/' | sort -V | tail -n 1
}

# More than half of the kernel's files, which no configuration of ours needs: it
# takes longer to write them than to build some subsystems.  Kconfig files stay, as
# each configuration reads those of all drivers, and network drivers' headers, which
# selftests borrow.
not_ours=(
	arch/{alpha,arc,arm,arm64,csky,hexagon,loongarch,m68k,microblaze,mips}/'*.'{'[chS]','dts*'}
	arch/{nios2,openrisc,parisc,powerpc,riscv,s390,sh,sparc,xtensa}/'*.'{'[chS]','dts*'}
	{drivers/{gpu,iio,infiniband,media,scsi,staging,usb},sound}/'*.[chS]'
	drivers/net/{ethernet,wireless}/'*.c'
	Documentation/'*/*'
)

unpack_linux() {
	local dir=$1 version=$2 archive top

	unpack_debs "$dir.deb" "linux-source-$version" || return
	archive=$(echo "$dir.deb"/usr/src/linux-source-*.tar.xz)
	mkdir -p "$dir/tree"
	top=$(basename "$archive" .tar.xz)
	tar -C "$dir/tree" --strip-components=1 -I 'xz -T0' \
		"${not_ours[@]/#/--exclude=$top/}" -xf "$archive" || return
	make -s -C "$dir/tree" kernelversion >"$dir/version" || return
	rm -rf "$dir.deb"
}

# Sets linux_tree to the kernel's source and linux_version to what it is.
fetch_linux() {
	local dir version=${KERNEL:-}

	if [[ ${KSRC:-} ]]; then
		[[ -f $KSRC/Kbuild && -d $KSRC/arch/x86 ]] ||
			die "KSRC=$KSRC: no kernel source"
		linux_tree=$(realpath "$KSRC")
		linux_version=$(make -s -C "$KSRC" kernelversion)
		return
	fi
	[[ $version ]] ||
		version=$(cd "$cache/src" 2>/dev/null && printf '%s\n' linux-[0-9]* |
			sed -n 's/^linux-\([0-9.]*\)$/\1/p' | sort -V | tail -n 1) || :
	if [[ ! $version ]]; then
		make_tmp
		need_apt_root
		version=$(newest_linux)
		[[ $version ]] ||
			die "no linux-source package in trixie-backports: give KSRC=<kernel source>"
	fi
	dir=src/linux-$version
	if ! have "$dir" 3000; then
		need_apt_root
		apt_private apt-cache show "linux-source-$version" >/dev/null 2>&1 ||
			die "KERNEL=$version: Debian has no package linux-source-$version"
		step "fetching Linux $version's source" linux-source \
			unpack_linux "$tmp/linux-source" "$version"
		keep "$tmp/linux-source" "$dir"
	fi
	linux_tree=$cache/$dir/tree
	linux_version=$(<"$cache/$dir/version")
}
