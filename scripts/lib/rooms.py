"""Holds the sources against the plan of the house: which room may know which, how full a folder may be, who may import
Foundation or the C library. Prints what breaks it, a line each, and ends with 1 if anything does. Run it by scripts/check.

    python3 scripts/lib/rooms.py          the check
    python3 scripts/lib/rooms.py --uses   every use of one room by another, for a look at the structure
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = REPOSITORY / "Sources"
LIBRARY = SOURCES / "ModelGateway"

# Each room of the library may know the ones named. All may know those in EVERYONE.
EVERYONE = {"Calls", "Threads", "Time"}
ROOMS = {
    "Calls": set(),
    "Threads": set(),
    "Time": set(),
    "Transport": set(),
    "Reliability": set(),
    "Configuration": {"Reliability", "Routing"},
    "Telemetry": set(),
    "Formats": {"Transport"},
    "Providers": {"Formats", "Transport"},
    "Deployments": {"Providers", "Reliability", "Telemetry"},
    "Routing": {"Deployments", "Reliability"},
    "Fleet": {"Routing", "Deployments", "Reliability", "Providers", "Formats", "Transport", "Telemetry"},
    "Relay": {"Fleet", "Routing", "Deployments", "Reliability", "Providers", "Formats", "Transport", "Telemetry"},
    # From a configuration to a running gateway, and the gateway itself: they know all.
    "Assembly": None,
    "": None,
}
MOST_FILES = 15

DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))? )*(?:(?:public|package|internal|private|fileprivate|final|indirect|nonisolated) )*"
    r"(?:struct|class|enum|protocol|actor|typealias|func|let|var) (\w+)",
    re.MULTILINE,
)
NESTED = re.compile(r"(private |fileprivate )?(?:\w+ )*\b(?:struct|class|enum|protocol|actor|typealias|case|func|let|var) (\w+)")


def code(path):
    """The text of a source without its comments and strings."""
    text = path.read_text()
    text = re.sub(r'"""(.*?)"""', '""', text, flags=re.DOTALL)
    text = re.sub(r'#*"(\\.|[^"\\\n])*"#*', '""', text)
    return re.sub(r"//.*", "", text)


def room_of(path):
    parts = path.relative_to(LIBRARY).parts
    return parts[0] if len(parts) > 1 else ""


def uses():
    """{(room, other room): {(name, file)}}"""
    files = {path: code(path) for path in sorted(LIBRARY.rglob("*.swift"))}
    homes = defaultdict(set)
    own = defaultdict(set)
    for path, text in files.items():
        for name in DECLARATION.findall(text):
            homes[name].add(room_of(path))
        for private, name in NESTED.findall(text):
            own[path if private else room_of(path)].add(name)
    found = defaultdict(set)
    for path, text in files.items():
        room = room_of(path)
        for name in set(re.findall(r"(?<![.\w])[A-Za-z_]\w*", text)) - own[room] - own[path]:
            if len(homes.get(name, ())) == 1:
                (home,) = homes[name]
                if home != room:
                    found[room, home].add((name, path.relative_to(REPOSITORY)))
    return found


def upward_references():
    for (room, other), names in sorted(uses().items()):
        if room not in ROOMS:
            yield f"Sources/ModelGateway/{room} is no room of the plan in scripts/lib/rooms.py"
        elif ROOMS[room] is not None and other not in ROOMS[room] | EVERYONE:
            for name, path in sorted(names):
                yield f"{path}: {room} must not know {name}, which is {other or 'the façade'}'s"


def full_folders():
    for folder in sorted({path.parent for path in SOURCES.rglob("*.swift")}):
        count = len(list(folder.glob("*.swift")))
        if count > MOST_FILES:
            yield f"{folder.relative_to(REPOSITORY)}: {count} files; give it rooms, at most {MOST_FILES} each"


def foundation():
    core = ("GatewaySystem", "GatewayWire", "ModelGateway", "ModelGatewayLifecycle", "ModelGatewayTelemetry", "ModelGatewayTracing")
    for target in core:
        for path in sorted((SOURCES / target).rglob("*.swift")):
            if re.search(r"^\s*(?:\w+ )*import (?:Foundation|FoundationEssentials)\b", code(path), re.MULTILINE):
                yield f"{path.relative_to(REPOSITORY)}: the core does not import Foundation"


# Who may import the C library: the one leaf that wraps it, and these, each of which says why before the import.
C_LIBRARY = {
    "Sources/GatewayWire/Text/ByteAccess.swift",
    "Sources/GatewayWire/Threads/Lock.swift",
    "Sources/ModelGatewayTesting/EngineSocket.swift",
    "Sources/gateway/Terminal/TerminalMode.swift",
}


def c_library():
    importers = set()
    for path in sorted(SOURCES.rglob("*.swift")):
        name = str(path.relative_to(REPOSITORY))
        if not name.startswith("Sources/GatewaySystem/") and re.search(
            r"^\s*(?:\w+ )*import (?:Glibc|Musl|Darwin|Bionic|WinSDK)\b", code(path), re.MULTILINE
        ):
            importers.add(name)
    for name in sorted(importers - C_LIBRARY):
        yield f"{name}: the C library is GatewaySystem's matter; call it there, and use that here"
    for name in sorted(C_LIBRARY - importers):
        yield f"{name} does not import the C library: take it out of the list in scripts/lib/rooms.py"


def main():
    if "--uses" in sys.argv[1:]:
        for (room, other), names in sorted(uses().items()):
            print(f"{room or '(façade)'} -> {other or '(façade)'}: {', '.join(sorted({name for name, _ in names}))}")
        return
    problems = [*upward_references(), *full_folders(), *foundation(), *c_library()]
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
