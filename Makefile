# make [VARIANT=debug|release|san]   build build/VARIANT/stack
# make check | check-unit | check-golden | check-wire | check-engine | check-fuzz
# make demo | bench | install | uninstall | docs | golden | format | tidy | clean | help
VARIANT    ?= debug
PREFIX     ?= /usr/local
CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
VERSION    := 0.1.0

# Linked. What a converged `stack up` does not need (libcurl's thirty dependencies,
# libarchive, libgit2, ...) is opened on need by the room that uses it: base/library.h.
PKGS      := libuv yaml-0.1 jansson libpcre2-8 libcrypto libprotobuf-c
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

warn := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla \
        -Wundef -Wpointer-arith -Wwrite-strings -Wcast-qual
all_cflags  := -std=gnu17 -D_GNU_SOURCE -DSTACK_VERSION='"$(VERSION)"' -Isrc $(warn) \
               $(if $(WERROR),-Werror) $(opt.$(VARIANT)) \
               $(shell $(PKG_CONFIG) --cflags $(PKGS) $(PKGS_OPEN)) $(CPPFLAGS) $(CFLAGS)
all_ldflags := $(opt.$(VARIANT)) $(LDFLAGS)
libs        := $(shell $(PKG_CONFIG) --libs $(PKGS)) -ldl -lm

srcs  := $(sort $(wildcard src/*/*.c))
objs  := $(srcs:%.c=$(out)/%.o)
lib   := $(filter-out $(out)/src/cli/main.o,$(objs))
units := $(patsubst tests/unit/%.c,$(out)/tests/unit/%.t,$(sort $(wildcard tests/unit/*.c)))

all: $(out)/stack

$(out)/stack: $(out)/src/cli/main.o $(out)/libstack.a
	$(CC) $(all_ldflags) -o $@ $^ $(libs)

$(out)/libstack.a: $(lib)
	@rm -f $@
	$(AR) rcs $@ $^

$(out)/%.o: %.c $(out)/flags
	@mkdir -p $(@D)
	$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(out)/tests/unit/%.t: $(out)/tests/unit/%.o $(out)/libstack.a
	@mkdir -p $(@D)
	$(CC) $(all_ldflags) -o $@ $^ $(libs) -lcmocka

# A change of flags rebuilds everything.
$(out)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(all_cflags) $(all_ldflags) $(libs)' | cmp -s - $@ || \
	 echo '$(CC) $(all_cflags) $(all_ldflags) $(libs)' >$@

check-unit: $(units)
	$(if $(units),CMOCKA_MESSAGE_OUTPUT=TAP prove --exec '' $(units))

format:
	clang-format -i $(wildcard src/*/*.[ch] tests/*/*.[ch])

clean:
	rm -rf build

-include $(objs:.o=.d) $(patsubst %.t,%.d,$(units))
.PHONY: all check-unit format clean FORCE
.SECONDARY:
