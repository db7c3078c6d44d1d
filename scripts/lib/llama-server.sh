# llama.cpp's own server, from the source and with the options of the library that setup builds: what the local
# backend is measured against.

# Sets llama_server to the program; builds it into the cache if it is not there yet.
provide_llama_server() {
    local directory=$cache/llama-server-$llama_version-$(uname -m)-$(llama_key)
    llama_server=$directory/llama-server
    if [ ! -x "$llama_server" ]; then
        begin_work
    fi
    if [ -x "$llama_server" ]; then
        step llama-server "$llama_version in $directory"
        return 0
    fi
    step llama-server "building $llama_version to measure against, some minutes on two cores"
    fetch llama-cpp-python
    build_llama_server "$directory" "$cache/llama-server-build.log"
}

build_llama_server() {
    local directory=$1 log=$2
    mkdir -p "$work/source" "$work/llama-server"
    tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/source" --strip-components 3 \
        "llama_cpp_python-$llama_version/vendor/llama.cpp"
    # shellcheck disable=SC2046 # one option a line, none with a space
    if ! { cmake -S "$work/source" -B "$work/build" -G Ninja $(llama_options) -DLLAMA_BUILD_COMMON=ON \
        -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON -DLLAMA_USE_PREBUILT_UI=OFF &&
        ninja -C "$work/build" llama-server; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        fail "llama-server did not build" "The whole log: $log"
    fi
    cp "$work/build/bin/llama-server" "$work/source/LICENSE" "$work/llama-server/"
    rm -rf "$directory"
    mv "$work/llama-server" "$directory"
    rm -rf "$work/source" "$work/build"
}
