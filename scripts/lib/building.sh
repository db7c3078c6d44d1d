# The builds that several scripts make.

# Those of the package that are on in them. Whoever names any has to name the one that is on by default as well.
traits=LlamaCpp,YAML

# `swift build`, without the lines of the package manager about each package that it fetches, and without the linker's
# about a function that Foundation has in it.
swift_build() {
    swift build --quiet "$@" 2>&1 |
        awk '!/^(Fetch(ing|ed)|Comput(ing|ed)|Creating working copy|Working copy) / && !/the use of .mktemp. is dangerous/ { print; fflush() }'
}

# With the libraries of Swift and C++ in it the program runs where they are not, starts sooner and takes less of the
# processor and of memory. Not every toolchain has Swift's in this form.
linked_in() {
    local tools libraries
    tools=$(dirname -- "$(readlink -f -- "$(command -v swift)")")
    [ -d "$tools/../lib/swift_static/linux" ] || return 0
    printf '%s\n' --static-swift-stdlib
    [ -x "$tools/ld.lld" ] || return 0
    # 5 MB less at rest: relocations in the short form, which the loader understands since glibc 2.36, and no table of
    # symbols for libraries that would be loaded later, of which there are none.
    printf '%s\n' -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic
    if glibc_has_short_relocations; then printf '%s\n' -Xlinker -z -Xlinker pack-relative-relocs; fi
    # The linker takes what it finds first, and here only the static form is to be found.
    libraries=$cache/static-libraries
    mkdir -p "$libraries"
    ln -sf "$(cc -print-file-name=libstdc++.a)" "$libraries/libstdc++.a"
    printf '%s\n' -Xlinker "-L$libraries"
}

glibc_has_short_relocations() {
    local version
    version=$(getconf GNU_LIBC_VERSION 2>/dev/null) || return 1
    [ "$(printf '%s\n' 'glibc 2.36' "$version" | sort -V | head -n 1)" = 'glibc 2.36' ]
}

# The release build. Further arguments go to `swift build`. The package manager needs many seconds to find that there
# is nothing to do, so it is not asked when neither the sources nor the result have changed.
build_release() {
    local gateway=$repository/.build/release/gateway stamp=$repository/.build/release.stamp inputs
    local flags
    mapfile -t flags < <(linked_in)
    set -- "${flags[@]}" "$@"
    inputs=$(release_inputs "$@")
    if [ "$inputs, $(identity "$gateway")" = "$(cat "$stamp" 2>/dev/null)" ]; then
        step build "$gateway"
        return 0
    fi
    step build "release, with the local backend (the first one takes some minutes)"
    rm -f "$stamp"
    swift_build --package-path "$repository" -c release --traits "$traits" --product gateway "$@"
    printf '%s\n' "$inputs, $(identity "$gateway")" >"$stamp"
    step build "$gateway"
}

# A digest of what the release build is made from.
release_inputs() {
    {
        printf '%s\n' "$@" "$(command -v swift)" "$(swift --version 2>/dev/null)" \
            "$(pkg-config --modversion --libs llama libcurl sqlite3)"
        find "$repository/Package.swift" "$repository/Sources" -type f -exec cksum {} + | LC_ALL=C sort
    } | cksum
}

# A file's size and time.
identity() {
    ls -lL "$1" 2>/dev/null || true
}
