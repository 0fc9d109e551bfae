# The commands of the project. README.md describes them.

PREFIX = /usr/local
DESTDIR =
SUITE =
ARCH =
SECONDS = 60
CARGO = cargo

bindir = $(PREFIX)/bin
mandir = $(PREFIX)/share/man
completiondir = $(PREFIX)/share/bash-completion/completions
# The directory that systemd.pc names, or else the one that has systemd's own units. It is a directory of the machine that
# foo will run on, so the root directory of a cross-build is no part of it.
unitdir = $(or $(shell env -u PKG_CONFIG_SYSROOT_DIR pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null),\
	$(firstword $(wildcard /usr/lib/systemd/system /lib/systemd/system)))

# systemd reads these directories on every system, independent of PREFIX.
sysusersdir = /usr/lib/sysusers.d
catalogdir = /usr/lib/systemd/catalog

release = target/release
foo = $(release)/foo
programs = $(foo) $(release)/foocl

# make may run in a service, such as a CI server. Neither foo nor a test is that service.
unexport NOTIFY_SOCKET WATCHDOG_PID WATCHDOG_USEC LISTEN_FDNAMES LISTEN_FDS LISTEN_PID LISTEN_PIDFDID

all:
	@tools/needs build
	$(CARGO) build --locked --release

run: all
	@tools/needs run
	@tools/run

# The tests run on a debug build, which checks for overflows. Those of the daemon also run on the release build. Tests
# in containers wait more than they compute, so the others run beside them.
check: all
	@tools/needs check
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features -- -D warnings
	$(CARGO) clippy --locked --test booted --all-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --all-features --no-deps
	@$(MAKE) --no-print-directory -j check-booted check-beside check-releases

check-booted:
	$(CARGO) test --locked --test booted

check-beside:
	$(CARGO) test --locked --workspace
	$(CARGO) test --locked --package libsystemd-safe --features log,tracing --test wrapper logging::
	$(CARGO) test --locked --package libsystemd-safe --features log,tracing --doc journal::l
	FOO_UNDER_TEST=$(CURDIR)/$(foo) $(CARGO) test --locked --test contract --test activation
	@tools/settings other-queue
	@tools/fuzz 2
	@tools/sanitize wrapper_valgrind_short daemon_valgrind_short

# Runs the tests under other settings of the kernel, the machine and the user. make check does it for queues of 10 and
# 512.
settings: all
	@tools/needs check
	@tools/settings

# The tests of the wrapper and of the daemon, under valgrind and built with AddressSanitizer.
sanitize: all
	@tools/needs check
	@tools/sanitize wrapper_valgrind wrapper_address daemon_valgrind daemon_address

# Tests the bindings and the wrapper with the headers and the library of each Debian release. Prints the table of
# libsystemd-sys/README.md.
check-releases: all
	@tools/needs check
	@tools/check-releases

# Runs the tests in containers for longer, and on two more releases. Writes tests/booted/RESULTS.md.
soak: all sanitize
	FOO_SOAK=1 $(CARGO) test --locked --test injected
	FOO_SOAK=1 $(CARGO) test --locked --package libsystemd-safe --test wrapper rotations
	FOO_SOAK=1 $(CARGO) test --locked --test booted

# Builds packages in dist/. SUITE=trixie builds them in a clean Debian 13 without a network, in dist/trixie/.
# ARCH=armhf or ARCH=arm64 cross-builds them there.
deb:
	@tools/deb "$(SUITE)" "$(ARCH)"

# Longer tests of the packages: lintian, hardening, reproducible builds, armhf and arm64, sid.
check-deb: all
	@tools/check-deb

# Installs the package on an emulated machine of Debian SUITE, with Debian's own kernel. Sends messages through boots, a
# reboot and a power cut; with UPGRADE=yes also an upgrade of Debian. Writes tests/MACHINES.md. Needs root.
machine:
	@tools/machine "$(or $(SUITE),trixie)"

# Runs make run, make check and make deb as a new user does: in a clean clone on a minimal Debian SUITE in a container.
# Prints the times and what apt installed. Needs root.
place:
	@tools/place "$(or $(SUITE),trixie)"

# Measures what foo costs, compared with a plain C daemon, the kernel's floor and other crates. Writes
# benches/RESULTS.md.
bench: all
	@tools/needs bench
	$(CARGO) bench --locked --bench bench

# Fuzzes each target for SECONDS. make check does it for two.
fuzz: all
	@tools/needs check
	@tools/fuzz $(SECONDS)

# Breaks the program in each way that cargo-mutants knows; a test must fail each time. FILES= limits it to some files,
# JOBS= is the number of trees that it works in.
mutants:
	@tools/needs check
	@tools/mutants $(FILES)

# Checks licences, versions and sources of the dependencies, and advisories if their database can be reached.
audit:
	@tools/needs build
	@tools/audit

# Installs what make has built, so that no compiler runs as root.
with_bindir = sed 's|/usr/local/bin/|$(bindir)/|g'
# The release of systemd that the units are for.
systemd_version = $(shell pkg-config --modversion libsystemd 2>/dev/null | sed 's/[^0-9].*//')
# An older systemd does not know RESTART_RESET=1, so that the pause would stay grown after a crash. It would warn about
# AcceptFileDescriptors=.
without_unknown = if [ 0$(systemd_version) -ge 258 ]; then cat; \
	else sed '/^RestartSteps=/d; /^RestartMaxDelaySec=/d; /^AcceptFileDescriptors=/d'; fi
install: $(programs)
	$(if $(unitdir),,$(error There is no systemd here: set unitdir= to the directory for units))
	install -Dt $(DESTDIR)$(bindir) $(programs)
	install -d $(DESTDIR)$(unitdir)
	$(without_unknown) < units/foo.socket | install -m644 /dev/stdin $(DESTDIR)$(unitdir)/foo.socket
	$(with_bindir) units/foo.service | $(without_unknown) | install -m644 /dev/stdin $(DESTDIR)$(unitdir)/foo.service
	install -Dm644 units/foo.sysusers $(DESTDIR)$(sysusersdir)/foo.conf
	install -Dm644 -t $(DESTDIR)$(catalogdir) units/foo.catalog
	install -d $(DESTDIR)$(mandir)/man8
	$(with_bindir) man/foo.8 | install -m644 /dev/stdin $(DESTDIR)$(mandir)/man8/foo.8
	install -Dm644 -t $(DESTDIR)$(mandir)/man1 man/foocl.1
	install -Dm644 -t $(DESTDIR)$(completiondir) completions/foo completions/foocl
	$(if $(DESTDIR),,systemd-sysusers $(sysusersdir)/foo.conf)
	$(if $(DESTDIR),,journalctl --update-catalog)
	@$(if $(DESTDIR),:,for file in $(installed); do \
		if { $(of_package); }; then echo "$$file belonged to a package of dpkg, whose next upgrade replaces it again"; fi; \
	done)
	@$(if $(DESTDIR),:,echo "Now run: systemctl daemon-reload && systemctl enable foo && systemctl restart foo")

installed = $(bindir)/foo $(bindir)/foocl $(unitdir)/foo.service $(unitdir)/foo.socket $(sysusersdir)/foo.conf \
	$(catalogdir)/foo.catalog $(mandir)/man8/foo.8 $(mandir)/man1/foocl.1 $(completiondir)/foo $(completiondir)/foocl
# Whether the file of the shell's variable belongs to a package. dpkg may know a file of /lib by its name in /usr/lib, and
# the other way round.
of_package = for name in "$$file" "/usr$$file" "$${file\#/usr}"; do dpkg -S "$$name" && break; done >/dev/null 2>&1

# Stops foo first, if systemd runs here and foo.service is no package's. Keeps foo's user, which may own files.
here = $(if $(DESTDIR),false,[ -d /run/systemd/system ])
uninstall:
	$(if $(unitdir),,$(error There is no systemd here: set unitdir= to the directory of units))
	if file=$(unitdir)/foo.service; $(here) && [ -e $$file ] && ! { $(of_package); }; then systemctl disable --now foo.service foo.socket || :; fi
	@for file in $(addprefix $(DESTDIR),$(installed)); do \
		if { $(of_package); }; then echo "$$file belongs to a package of dpkg: it stays"; \
		else echo "rm -f $$file"; rm -f "$$file" || exit; fi; \
	done
	if $(here); then systemctl daemon-reload; journalctl --update-catalog; fi

$(programs):
	@echo "$@ is not built yet: run make first" >&2
	@false

# Draws the picture of README.md.
picture:
	@tools/needs picture
	dot -Tsvg docs/path.dot -o docs/path.svg

help:
	@echo "make              build foo and foocl"
	@echo "make run          try foo without installing it"
	@echo "make check        run the tests"
	@echo "make install      install what make has built, as root; PREFIX=, DESTDIR= and unitdir= set where"
	@echo "make uninstall    remove that, but no file that belongs to a package"
	@echo "make deb          build packages in dist/; SUITE=trixie in a clean Debian 13, ARCH=arm64 for another processor"
	@echo "For developers: audit, bench, check-deb, fuzz, machine, mutants, picture, place, sanitize, settings, soak; see the comments in Makefile."

.PHONY: all help run check check-booted check-beside check-releases soak install uninstall deb check-deb machine picture place bench fuzz sanitize settings mutants audit
