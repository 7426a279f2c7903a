# SPDX-License-Identifier: MIT
"""Reads the programs of the corpus: one file for each area, in it one program after the other.

    ### name-of-the-program        begins a program; the lines that follow are its main.jl, but for these:
    #: modes pipe terminal         the modes it runs in (scene.MODES); without it: pipe
    #: args one "two words"        its arguments
    #: stdin "a\\nb"                what its standard input holds; without it: nothing
    #: env NAME=value NAME         variables that are set, or unset
    #: run prog main.jl >&-        how the shell runs it, where its name and arguments are not all; prog is the command
    #: file parts/part.jl          what follows is the text of this file
    #: killed                      julia says where a signal came, from two threads at once: see normalise.sed
    #: escaped                     the texts hold bytes as Python writes them (\\xff, \\r)
    #: sample                      also a part of the sample that continuous integration runs in the dearer columns
    #: rarely                      only where all is wanted
    #: expect "text"               what happens meanwhile, in this order: wait until this was written
    #: idle                        until nothing of it runs
    #: type "\\x03"                 write to the terminal, or to standard input
    #: signal TERM                 to the command alone
    #: group INT                   to its process group
    #: size 12 40                  the terminal gets another size
    #: hangup                      the terminal goes away, or standard input ends
"""
import ast
import dataclasses
import fnmatch
import pathlib
import shlex
import subprocess

import cli_case

FOLDER = pathlib.Path(__file__).resolve().parent
STEPS = ("expect", "idle", "type", "signal", "group", "size", "hangup")


@dataclasses.dataclass
class Program:
    name: str  # area/name
    modes: list = dataclasses.field(default_factory=lambda: ["pipe"])
    args: list = dataclasses.field(default_factory=list)
    stdin: bytes = b""
    env: dict = dataclasses.field(default_factory=dict)
    run: str = ""
    steps: list = dataclasses.field(default_factory=list)
    files: dict = dataclasses.field(default_factory=lambda: {"main.jl": b""})
    sample: bool = False
    rarely: bool = False
    escaped: bool = False
    killed: bool = False

    @property
    def area(self):
        return self.name.partition("/")[0]

    def set(self, key, value):
        """What a line `#: key value` says, but for `file`."""
        if key in STEPS:
            self.steps.append((key, as_bytes(value) if key in ("expect", "type") else value))
        elif key in ("sample", "rarely", "escaped", "killed"):
            setattr(self, key, True)
        elif key == "run":
            self.run = value
        elif key == "stdin":
            self.stdin = as_bytes(value)
        elif key == "env":
            pairs = [pair.partition("=") for pair in shlex.split(value)]
            self.env.update({name: text if equals else None for name, equals, text in pairs})
        elif key in ("modes", "args"):
            setattr(self, key, shlex.split(value))
        else:
            raise ValueError(f"{self.name}: unknown word {key!r}")


def matches(program, mode, patterns):
    """Whether one of the patterns names the program, or the program in this mode."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in (program.name, f"{program.name}:{mode}"))


def as_bytes(literal):
    return ast.literal_eval(literal).encode("latin-1" if "\\x" in literal else "utf-8")


def read_area(path):
    programs = []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.startswith(b"### "):
            programs.append(Program(f"{path.stem}/{line[4:].decode().strip()}"))
            file = "main.jl"
        elif line.startswith(b"#: "):
            key, _, value = line[3:].decode().strip().partition(" ")
            if key == "file":
                file = value
                programs[-1].files[file] = b""
            else:
                programs[-1].set(key, value)
        elif programs:
            programs[-1].files[file] += line
    for program in programs:
        for file, text in program.files.items():
            program.files[file] = (text.rstrip(b"\n") + b"\n") if text else text
            if program.escaped:
                program.files[file] = text.decode("unicode_escape").encode("latin-1")
    return programs


def read_all(folder=FOLDER):
    return [program for path in sorted(folder.glob("*.jl")) for program in read_area(path)]


@dataclasses.dataclass
class Exception_:
    """A line of exceptions.txt: in this column these programs differ (`differs`: for good, `open`: until it is mended)."""
    column: str
    program: str  # area/name, or area/name:mode; may be a pattern
    kind: str
    reason: str
    hits: int = 0

    def covers(self, column, program, mode):
        return self.column == column and matches(program, mode, [self.program])


def has_version(least):
    text = subprocess.run([cli_case.JULIA, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[-1]
    return [int(part) for part in text.split(".")[:2]] >= [int(part) for part in least.split(".")]


def read_exceptions(path=FOLDER / "exceptions.txt"):
    lines = [line.split(maxsplit=3) for line in path.read_text().splitlines() if line and not line.startswith("#")]
    for line in lines:
        if len(line) != 4 or line[2] not in ("differs", "open"):
            raise ValueError(f"{path.name}: expected 'column program differs|open reason', got {' '.join(line)!r}")
    found = [(*line[0].partition("@"), line[1:]) for line in lines]
    return [Exception_(column, *rest) for column, at, least, rest in found if not at or has_version(least)]
