# The builds that several scripts make.

# The release build. Further arguments go to `swift build`.
build_release() {
    step build "release, with the local backend (the first one takes some minutes)"
    swift build --package-path "$repository" -c release --traits LlamaCpp --product gateway --quiet "$@"
    step build "$repository/.build/release/gateway"
}
