#!/usr/bin/env python3
"""Writes the man page of groksweep (mdoc) from what the program says of itself.

    groksweep --experimental-dump-help | cluster/man-page.py VERSION DATE > groksweep.1

The words are those of `groksweep help COMMAND`; nothing is written twice. Hidden options stay hidden.
"""

import json
import re
import sys


def escaped(text):
    """As roff reads it back: no escape, no request at the beginning of a line, dashes that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def prose(text):
    """Each sentence begins a line, which is how roff knows where sentences end."""
    return escaped(re.sub(r"(?<=[.!?]) +(?=[A-Z(-])", "\n", text))


def macro(text):
    """As an argument of a macro: in quotes, so that none of its words is taken for another macro."""
    return '"' + escaped(text).replace('"', "\\(dq") + '"'


def paragraphs(text):
    """Prose is filled, lines that are indented (examples) are left as they are."""
    for paragraph in text.strip("\n").split("\n\n"):
        if paragraph.startswith("  "):
            yield ".Bd -literal -offset indent"
            yield escaped("\n".join(line[2:] for line in paragraph.split("\n")))
            yield ".Ed"
        else:
            yield ".Pp"
            yield prose(paragraph)


def name_of(argument):
    names = argument.get("names") or []
    return [("--" if name["kind"] == "long" else "-") + name["name"] for name in names]


def shown(command):
    return [a for a in command.get("arguments", []) if a.get("shouldDisplay", True) and a.get("valueName") != "version"]


def synopsis(words, command):
    for sub in command.get("subcommands", []):
        if sub["commandName"] != "help" and sub.get("shouldDisplay", True):
            yield from synopsis(words + [sub["commandName"]], sub)
    if command.get("subcommands") and not [a for a in shown(command) if name_of(a) and name_of(a) != ["-h", "--help"]]:
        return
    yield ".Nm"
    yield f".Cm {macro(' '.join(words))}" if words else ".Op Fl -help"
    for argument in shown(command):
        if argument["kind"] == "positional":
            entry = f"Ar {macro(argument['valueName'])}" + (" ..." if argument.get("isRepeating") else "")
            yield f".Op {entry}" if argument.get("isOptional") else f".{entry}"
    yield ".Op Ar options"


def options(command):
    entries = [a for a in shown(command) if name_of(a)[-1:] not in (["--help"], ["--version"])]
    if not entries:
        return
    yield ".Bl -tag -width Ds"
    for argument in entries:
        if argument["kind"] == "positional":
            yield f".It Ar {macro(argument['valueName'])}"
        else:
            names = " , ".join(f"Fl {macro(name[1:])}" for name in name_of(argument))
            value = f" Ar {macro(argument['valueName'])}" if argument["kind"] == "option" else ""
            yield f".It {names}{value}"
        words = argument.get("abstract") or ""
        default = argument.get("defaultValue")
        if default and argument["kind"] != "flag":
            words += f" (default: {default})"
        yield prose(words) if words else ".Pp"
    yield ".El"


def commands(words, command):
    for sub in command.get("subcommands", []):
        if sub["commandName"] == "help" or not sub.get("shouldDisplay", True):
            continue
        path = words + [sub["commandName"]]
        yield f".Ss {macro(' '.join(path))}"
        yield prose(sub.get("abstract") or "")
        yield from paragraphs(sub.get("discussion") or "") if sub.get("discussion") else []
        yield from options(sub)
        yield from commands(path, sub)


def main():
    version, date = sys.argv[1:3]
    root = json.load(sys.stdin)["command"]
    lines = [
        f".Dd {date}", ".Dt GROKSWEEP 1", f".Os {macro('groksweep ' + version)}",
        ".Sh NAME", ".Nm groksweep", f".Nd {escaped(root['abstract'].rstrip('.'))}",
        ".Sh SYNOPSIS", *synopsis([], root),
        ".Sh DESCRIPTION", *list(paragraphs(root.get("discussion") or ""))[1:],
        ".Sh COMMANDS", *commands([], root),
        ".Sh ENVIRONMENT",
        ".Bl -tag -width Ds",
        ".It Ev GROKSWEEP_KERNELS", escaped("avx512, avx2 or neon: forces a kernel path; the results are the same bits."),
        ".It Ev XDG_CACHE_HOME", escaped("Where worker keeps its scratch folder unless --scratch says (default: ~/.cache)."),
        ".El",
        ".Sh EXIT STATUS",
        escaped("0 done; 1 something failed or points ended without a result; 64 wrong usage; 65 bad input; 69 no "
                "coordinator; 77 not allowed; 130 interrupted, the store is resumable."),
    ]
    print("\n".join(line for line in lines if line))


main()
