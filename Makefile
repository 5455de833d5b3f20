# make [VARIANT=debug|release|san|cov]  build build/VARIANT/stack
# make check             every test, after installing what they need; ends with `N passed, N failed`
# make check-KIND        those of one kind: source unit golden wire fuzz engine
# make fuzz FUZZ=NAME [TIME=60]   look for inputs that break tests/fuzz/NAME.c (clang)
# make golden            write what the cases of tests/golden expect from what they print now
# make demo              from nothing to a running cluster: stacks/identity.yaml
# make install uninstall [DESTDIR=...] [PREFIX=/usr/local]
# make format            clang-format everything
# make clean
VARIANT    ?= debug
PREFIX     ?= /usr/local
CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
VERSION    := 0.1.0

# Linked. What a converged `stack up` does not need (libcurl's thirty dependencies,
# libarchive, libgit2, ...) is opened on need by the room that uses it: base/library.h.
PKGS      := libuv yaml-0.1 jansson libpcre2-8 libcrypto
PKGS_OPEN := libcurl libarchive libgit2 libnghttp2 libmicrohttpd

ifeq ($(shell uname),Darwin)
export PKG_CONFIG_PATH := $(PKG_CONFIG_PATH):$(shell brew --prefix libarchive 2>/dev/null)/lib/pkgconfig:$(shell brew --prefix openssl@3 2>/dev/null)/lib/pkgconfig
else
export_dynamic := -rdynamic
endif

out := build/$(VARIANT)
opt.debug   := -O0 -g3
opt.release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
opt.san     := -O1 -g3 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
opt.cov     := -O0 -g3 --coverage
opt.fuzz    := $(opt.san) -fsanitize=fuzzer-no-link

warn := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
        -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual
ifneq ($(filter-out help demo check clean uninstall,$(or $(MAKECMDGOALS),all)),)
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(PKGS) $(PKGS_OPEN) 2>/dev/null || echo missing)
pkg_libs   := $(shell $(PKG_CONFIG) --libs $(PKGS))
ifneq ($(filter missing,$(pkg_cflags)),)
$(error Libraries are missing. Run: .ci/packages --install build test)
endif
endif

all_cflags  := -std=gnu17 -D_GNU_SOURCE -DSTACK_VERSION='"$(VERSION)"' -Isrc -include base/banned.h \
               $(warn) $(if $(WERROR),-Werror) $(opt.$(VARIANT)) \
               $(pkg_cflags) $(CPPFLAGS) $(CFLAGS)
all_ldflags := $(opt.$(VARIANT)) $(LDFLAGS)
libs        := $(pkg_libs) -ldl -lm

srcs  := $(sort $(wildcard src/*/*.c))
objs  := $(srcs:%.c=$(out)/%.o)
lib   := $(filter-out $(out)/src/cli/main.o,$(objs))

# A C file among the tests is a program; tests/support/*.c is part of each of them.
kinds    := source unit golden wire fuzz engine
# A harness among tests/fuzz needs a main(): the driver's, or that of libFuzzer.
kinds_c  := $(sort $(foreach k,$(kinds),$(wildcard tests/$k/*.c)))
driver   := $(out)/tests/fuzz/driver.o
programs := $(patsubst %.c,$(out)/%.t,$(filter-out tests/fuzz/driver.c,$(kinds_c)))
support  := $(patsubst %.c,$(out)/%.o,$(wildcard tests/support/*.c))

# V=1 shows whole commands, -s nothing.
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
show    = $(if $(V),,@$(if $(silent),,echo '  $1 $@';) )

all: $(out)/stack

$(out)/stack: $(out)/src/cli/main.o $(out)/libstack.a
	$(call show,link)$(CC) $(all_ldflags) -o $@ $^ $(libs)

$(out)/libstack.a: $(lib)
	@rm -f $@
	$(call show,ar  )$(AR) rcs $@ $^

$(out)/%.o: %.c $(out)/flags
	@mkdir -p $(@D)
	$(call show,cc  )$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(out)/tests/%.t: $(out)/tests/%.o $(support) $(out)/libstack.a
	@mkdir -p $(@D)
	$(call show,link)$(CC) $(all_ldflags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(libs) -lcmocka

$(filter $(out)/tests/fuzz/%,$(programs)): $(driver)

$(out)/tests/fuzz/%.fuzz: $(out)/tests/fuzz/%.o $(support) $(out)/libstack.a
	$(call show,link)$(CC) $(all_ldflags) -fsanitize=fuzzer -o $@ $^ $(libs) -lcmocka

# A change of flags rebuilds everything.
$(out)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(all_cflags) $(all_ldflags) $(libs)' | cmp -s - $@ || \
	 echo '$(CC) $(all_cflags) $(all_ldflags) $(libs)' >$@

# On a fresh machine, too: what is missing is installed before anything asks for its libraries.
check:
	@.ci/packages --install build test
	@$(MAKE) check-all

check-all: all $(programs)
	@VARIANT=$(VARIANT) CC="$(CC)" tests/run

programs: $(programs)

$(kinds:%=check-%): all
	@VARIANT=$(VARIANT) CC="$(CC)" tests/run $(@:check-%=%)

$(foreach k,$(kinds),$(eval check-$k: $(filter $(out)/tests/$k/%,$(programs))))

# New inputs are kept in build/fuzz/corpus; the ones worth a test are copied to tests/fuzz/corpus.
TIME ?= 60
fuzz:
	@test -f 'tests/fuzz/$(FUZZ).c' || { echo 'usage: make fuzz FUZZ=NAME [TIME=60]'; exit 1; }
	@$(MAKE) VARIANT=fuzz CC=clang build/fuzz/tests/fuzz/$(FUZZ).fuzz
	@mkdir -p build/fuzz/corpus/$(FUZZ)
	build/fuzz/tests/fuzz/$(FUZZ).fuzz -max_total_time=$(TIME) -artifact_prefix=build/fuzz/ \
		build/fuzz/corpus/$(FUZZ) tests/fuzz/corpus/$(FUZZ)

# The programs of tests/bench, then the comparison; needs an engine, and `docker compose` to compare.
bench_programs := $(patsubst tests/bench/%.c,$(out)/tests/bench/%.t,$(wildcard tests/bench/*.c))
bench: $(if $(filter release,$(VARIANT)),all $(bench_programs))
ifneq ($(VARIANT),release)
	@$(MAKE) VARIANT=release bench
else
	@tests/bench/run
endif

golden: all
	@GOLDEN=write VARIANT=$(VARIANT) tests/run golden

demo:
	@stacks/demo

# What the tables print: committed references, and what `make install` puts in place.
references := cli.md exit-codes.md stack-file.md
docs: $(out)/stack
	@mkdir -p docs/reference
	@for page in $(references); do $(out)/stack manual $$page >docs/reference/$$page || exit 1; done

share := $(DESTDIR)$(PREFIX)/share
install: $(out)/stack
	install -d $(DESTDIR)$(PREFIX)/bin $(share)/man/man1 $(share)/stack \
		$(share)/bash-completion/completions $(share)/zsh/site-functions \
		$(share)/fish/vendor_completions.d
	install -m 755 $(out)/stack $(DESTDIR)$(PREFIX)/bin/stack
	$(out)/stack manual stack.1 >$(share)/man/man1/stack.1
	for c in $$($(out)/stack manual commands); do \
		$(out)/stack manual $$c >$(share)/man/man1/stack-$$c.1 || exit 1; done
	$(out)/stack schema >$(share)/stack/stack.schema.json
	$(out)/stack completion bash >$(share)/bash-completion/completions/stack
	$(out)/stack completion zsh >$(share)/zsh/site-functions/_stack
	$(out)/stack completion fish >$(share)/fish/vendor_completions.d/stack.fish

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/stack $(share)/man/man1/stack.1 $(share)/man/man1/stack-*.1 \
		$(share)/bash-completion/completions/stack $(share)/zsh/site-functions/_stack \
		$(share)/fish/vendor_completions.d/stack.fish
	rm -rf $(share)/stack

format:
	clang-format -i $(wildcard src/*/*.[ch] tests/*/*.[ch])

clean:
	rm -rf build

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

-include $(objs:.o=.d) $(programs:.t=.d) $(support:.o=.d) $(driver:.o=.d)

.PHONY: bench
.PHONY: all programs check check-all $(kinds:%=check-%) fuzz golden demo docs install uninstall format clean help FORCE
.SECONDARY:
