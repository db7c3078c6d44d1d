"""Holds what is public against its documentation: each public declaration has a comment, and each public type stands in
the Topics of its target's documentation. Prints what is missing, a line each, and ends with 1 if anything is. Run it by
scripts/check.

    python3 scripts/lib/documentation.py            the check
    python3 scripts/lib/documentation.py --count    how many public declarations each target has
"""

import re
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "Sources"

WORDS = r"(?:(?:@\w+(?:\([^)]*\))?|static|final|class|mutating|nonmutating|convenience|override|indirect|nonisolated|package\(set\)|private\(set\)|internal\(set\)) )*"
PUBLIC = re.compile(rf"^(?:@\w+(?:\([^)]*\))? )*public {WORDS}(struct|class|enum|protocol|actor|typealias|func|let|var|init|subscript)\b[?!]?\s*`?([\w~=]*)")
TYPE = ("struct", "class", "enum", "protocol", "actor", "typealias")
MEMBER = re.compile(rf"^{WORDS}(case|func|let|var|init|subscript|associatedtype)\b\s*`?(\w*)")

# What a protocol of the standard library or of a package says about them is said there.
WITNESSES = {
    "description", "debugDescription", "customMirror", "rawValue", "Element", "Failure", "makeAsyncIterator", "next",
    "startIndex", "endIndex", "logLevel", "metadata", "metadataProvider", "log", "hash", "encode", "==", "<", "advanced", "duration",
    "coreContext",
}
WITNESS_LINES = re.compile(
    r"init\((rawValue|from decoder|source|\w+Literal)\b|subscript\(position:|subscript\(metadataKey |func (?:make|destroy)\w+\(|func < \("
)


def declarations(path):
    """(line number, kind, name, whether it has a comment, line, enclosing public types) of what is public."""
    lines = path.read_text().splitlines()
    context = []  # (indentation, kind, name, public)
    for number, line in enumerate(lines, 1):
        text = line.strip()
        indentation = len(line) - len(line.lstrip())
        if not text or text.startswith("//"):
            continue
        while context and indentation <= context[-1][0]:
            context.pop()
        above = number - 2
        while above >= 0 and lines[above].strip().startswith("@"):
            above -= 1
        documented = above >= 0 and lines[above].strip().startswith("///")
        enclosing = [entry[2] for entry in context if entry[1] in (*TYPE, "extension")]
        found = PUBLIC.match(text)
        if found:
            yield number, found[1], found[2], documented, text, enclosing
            if found[1] in TYPE:
                context.append((indentation, found[1], found[2], True))
                continue
        elif context and context[-1][3] and indentation == context[-1][0] + 4:
            inside = MEMBER.match(text)
            if inside and (inside[1] == "case" and context[-1][1] == "enum" or context[-1][1] == "protocol"):
                yield number, inside[1], inside[2], documented, text, enclosing
        extension = re.match(r"^(?:public )?extension ([\w.]+)", text)
        if extension:
            context.append((indentation, "extension", extension[1].replace(".", "/"), False))
        elif text.endswith("{") and re.match(r"^(?:[\w@()]+ )*(struct|class|enum|protocol|actor|func|var|init)\b", text):
            context.append((indentation, "private", "", False))


def topics(target):
    """The names in the Topics of a target's pages."""
    names = set()
    for page in (SOURCES / target).rglob("*.docc/*.md"):
        _, _, section = page.read_text().partition("\n## Topics\n")
        names |= set(re.findall(r"^- ``([^`]+)``", section, re.MULTILINE))
    return names


def main():
    problems = []
    targets = {folder.name: [] for folder in sorted(SOURCES.iterdir())}
    for target, found in targets.items():
        files = sorted((SOURCES / target).rglob("*.swift"))
        found += [(path, *entry) for path in files for entry in declarations(path)]
    # What our own protocols require is documented there.
    requirements = {
        entry[3] for found in targets.values() for entry in found
        if entry[2] in ("func", "var") and not entry[5].startswith("public ")
    }
    for target, found in targets.items():
        counted = [entry for entry in found if entry[5].startswith(("public ", "@"))]
        if "--count" in sys.argv[1:]:
            if counted:
                print(f"{len(counted):5} {target}")
            continue
        listed = topics(target)
        for path, number, kind, name, documented, text, enclosing in found:
            place = f"{path.relative_to(SOURCES.parent)}:{number}"
            is_witness = name in WITNESSES or WITNESS_LINES.search(text) or text.startswith("public ") and name in requirements
            if not documented and not is_witness:
                problems.append(f"{place}: no documentation: {text}")
            if kind in TYPE and not enclosing and name not in listed:
                problems.append(f"{place}: {name} stands in the Topics of no page of {target}'s Documentation.docc")
    print(*problems, sep="\n", end="\n" if problems else "")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
