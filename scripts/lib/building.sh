# The builds that several scripts make.

# `swift build`, without the lines of the package manager about each package that it fetches, and without the linker's
# about a function that Foundation has in it.
swift_build() {
    swift build --quiet "$@" 2>&1 |
        awk '!/^(Fetch(ing|ed)|Comput(ing|ed)|Creating working copy|Working copy) / && !/the use of .mktemp. is dangerous/ { print; fflush() }'
}

# With its Swift libraries in it the program runs where there is no Swift, starts sooner and takes less of the processor
# and of memory. Not every toolchain has them in this form.
linked_in() {
    local toolchain
    toolchain=$(dirname -- "$(readlink -f -- "$(command -v swift)")")/..
    [ ! -d "$toolchain/lib/swift_static/linux" ] || printf '%s\n' --static-swift-stdlib
}

# The release build. Further arguments go to `swift build`. The package manager needs many seconds to find that there
# is nothing to do, so it is not asked when neither the sources nor the result have changed.
build_release() {
    local gateway=$repository/.build/release/gateway stamp=$repository/.build/release.stamp inputs
    # shellcheck disable=SC2046  # One word or none.
    set -- $(linked_in) "$@"
    inputs=$(release_inputs "$@")
    if [ "$inputs, $(identity "$gateway")" = "$(cat "$stamp" 2>/dev/null)" ]; then
        step build "$gateway"
        return 0
    fi
    step build "release, with the local backend (the first one takes some minutes)"
    rm -f "$stamp"
    swift_build --package-path "$repository" -c release --traits LlamaCpp --product gateway "$@"
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
