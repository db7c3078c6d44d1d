# Where things are and how the scripts talk: sourced by every script in scripts/, run by none.

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
minimum_swift=6.3

# One line of progress per step.
step() { printf '%-22s %s\n' "$1" "$2"; }

# Says what is wrong and what to do, and ends the script.
fail() {
    printf '%s: %s\n' "$(basename -- "$0")" "$1" >&2
    shift
    if [ $# -gt 0 ]; then printf '  %s\n' "$@" >&2; fi
    exit 1
}

# Called through sudo, only the system packages are root's business: they are installed here, and everything else
# happens as the user who called, so that the files are theirs.
leave_sudo() {
    if [ "$(id -u)" != 0 ] || [ -z "${SUDO_USER:-}" ] || [ "$SUDO_USER" = root ]; then return 0; fi
    if ! sudo -u "$SUDO_USER" test -w "$repository"; then
        step sudo "$SUDO_USER cannot write to $repository: setting up for root"
        return 0
    fi
    install_packages
    exec sudo -u "$SUDO_USER" -H -- env "PATH=$PATH" bash "$repository/scripts/$(basename -- "$0")" "$@"
}

set_directories() {
    if [ -z "${HOME:-}" ]; then
        HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
        export HOME
    fi
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/modelgateway
    models=${XDG_DATA_HOME:-$HOME/.local/share}/modelgateway/models
    mkdir -p "$cache" "$models"
}

# Puts a Swift toolchain that is new enough on the PATH. sudo and cron hide the user's own PATH, so the usual places
# are looked at too.
find_swift() {
    local directory version="" found=""
    for directory in "$(dirname -- "$(command -v swift || echo /nowhere/swift)")" \
        "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}" "$HOME/.swiftly/bin" \
        /opt/swift*/usr/bin /usr/local/swift*/usr/bin /usr/share/swift*/usr/bin "$HOME"/swift*/usr/bin; do
        [ -x "$directory/swift" ] || continue
        version=$("$directory/swift" --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
        [ -n "$version" ] || continue
        found=$version
        if [ "$(printf '%s\n' "$minimum_swift" "$version" | sort -V | head -n 1)" = "$minimum_swift" ]; then
            PATH=$directory:$PATH
            export PATH
            step swift "$version"
            return 0
        fi
    done
    fail "${found:+Swift $found is too old: }a Swift toolchain $minimum_swift or newer is needed." \
        "Install one from https://www.swift.org/install/linux/ (\"swiftly install latest\" is the short way)" \
        "and have its \"swift\" on your PATH."
}
