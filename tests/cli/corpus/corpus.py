# SPDX-License-Identifier: MIT
"""The differential corpus: each program gives under the command what it gives under julia.

A column is another way of running the programs. Each is compared with `julia FILE ARGS`: the bytes of both streams,
status or signal, the files that are there afterwards, processes that are left, the state of the terminal."""
import argparse
import concurrent.futures
import dataclasses
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import cli_case
import programs
import scene


@dataclasses.dataclass
class Column:
    """A way of running the programs."""
    command: list  # before FILE and ARGS
    env: dict = dataclasses.field(default_factory=dict)
    is_whole: bool = True  # or only the sample, if not all is wanted
    programs: tuple = ("*",)  # patterns of those that it has anything to do with


IN_THE_COMMAND = ("children/*:pipe", "display/*:pipe", "exceptions/of-each-kind", "atexit/*:pipe", "ends/*:pipe",
                  "environment/variables", "language/*", "output/*:pipe", "order/*:pipe", "order/*:joined", "names/arguments:pipe",
                  "tasks/threads", "tasks/number-of-threads", "tasks/one-thread")
REFERENCE = Column([cli_case.JULIA, "--startup-file=no"])
COLUMNS = {
    "malt-process": Column([cli_case.MALT, "run"]),
    "distributed": Column([cli_case.MALT, "run", "-b", "distributed"], is_whole=False),
    # The program is a task in the command's own process, whose signals are not Julia's.
    "inprocess": Column([cli_case.MALT, "run", "-b", "inprocess"], is_whole=False, programs=IN_THE_COMMAND),
    "julia": Column(REFERENCE.command),  # shows which programs do not give the same twice; only where it is named
}

DEFAULT = [name for name in COLUMNS if name != "julia"]


def normalise(text, is_killed=False):
    text = b"KILLED\n" * is_killed + text
    script = programs.FOLDER / "normalise.sed"
    return subprocess.run(["sed", "-E", "-f", script], input=text, stdout=subprocess.PIPE, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def show_difference(expected, got):
    """Lines that say how two outcomes differ; none if they do not."""
    lines = []
    for field in dataclasses.fields(scene.Outcome):
        a, b = getattr(expected, field.name), getattr(got, field.name)
        if a == b:
            continue
        if isinstance(a, bytes):
            diff = difflib.unified_diff(*([repr(line)[2:-1] for line in text.splitlines(True)] for text in (a[:20000], b[:20000])),
                                        "julia", "here", n=2, lineterm="")
            lines += [f"{field.name}:", *list(diff)[2:40]] if a[:20000] != b[:20000] else [f"{field.name}: {len(a)} and {len(b)} bytes"]
        else:
            lines.append(f"{field.name}: julia {a}, here {b}")
    return lines


class Corpus:
    def __init__(self, folder, exceptions, reference=REFERENCE, says=print):
        self.folder, self.exceptions, self.reference, self.says = folder, exceptions, reference, says
        self.failed, self.passed, self.known = [], [], []
        self.lock = threading.Lock()  # guards these lists, and what is printed

    def run(self, program, mode, column):
        folder = self.folder / program.name / mode
        outcome = scene.Scene(program, mode, column.command, folder, column.env).play()
        outcome.stdout, outcome.stderr = (normalise(text, program.killed) for text in (outcome.stdout, outcome.stderr))
        return outcome

    def judge(self, program, mode, columns):
        """Runs a program under julia and in each of these columns (name: column)."""
        start = time.monotonic()
        expected = self.run(program, mode, self.reference)
        for name, column in columns.items():
            lines = show_difference(expected, self.run(program, mode, column))
            if expected.fault:
                lines.insert(0, f"the reference: {expected.fault}")
            self.note(name, program, mode, lines, time.monotonic() - start)

    def note(self, name, program, mode, lines, seconds):
        known = [one for one in self.exceptions if one.covers(name, program, mode)]
        title = f"{name} {program.name}:{mode}"
        with self.lock:
            for one in known:
                one.hits += 1
            if known and known[0].kind == "open" and not lines:
                self.failed.append(title)
                self.says(f"FAIL {title}: passes, but exceptions.txt says it is open: {known[0].reason}")
            elif known and lines:
                self.known.append(title)
                if known[0].kind == "open":
                    self.says(f"OPEN {title}: {known[0].reason}")
            elif known or not lines:
                self.passed.append(title)
                self.says(f"ok   {title} {seconds:.1f} s" + (" (listed as different)" if known else ""))
            else:
                self.failed.append(title)
                self.says("\n     ".join([f"FAIL {title}", *lines]))

    def run_all(self, chosen, columns, n_at_a_time=2):
        """chosen: pairs of a program and a mode."""
        with concurrent.futures.ThreadPoolExecutor(n_at_a_time) as pool:
            jobs = [pool.submit(self.judge, program, mode, columns(program, mode)) for program, mode in chosen]
            for job in jobs:
                job.result()
        self.says(f"{len(self.passed)} as under julia, {len(self.known)} known to differ, {len(self.failed)} failed")
        return not self.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--column", action="append", choices=COLUMNS, help="only this one; may be repeated")
    parser.add_argument("--all", action="store_true", help="all programs in each column, not only the sample")
    parser.add_argument("--only", action="append", default=[], help="patterns of area/name or area/name:mode")
    parser.add_argument("--exceptions", action="store_true", help="run also what is listed as different in a column")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=cli_case.SECONDS, help="for each program")
    options = parser.parse_args()
    cli_case.SECONDS = options.seconds
    columns = {name: column for name, column in COLUMNS.items() if name in (options.column or DEFAULT)}
    exceptions = programs.read_exceptions()

    def columns_of(program, mode):
        return {name: column for name, column in columns.items()
                if programs.matches(program, mode, column.programs)
                and (options.all or options.only or (not program.rarely if column.is_whole else program.sample and mode == program.modes[0]))
                and (options.exceptions or not any(one.kind == "differs" and one.covers(name, program, mode) for one in exceptions))}

    chosen = [(program, mode) for program in programs.read_all() for mode in program.modes
              if programs.matches(program, mode, options.only or ["*"])]
    chosen = [pair for pair in chosen if columns_of(*pair)]
    if options.list:
        for program, mode in chosen:
            print(f"{program.name}:{mode}", *columns_of(program, mode))
        return 0
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        corpus = Corpus(pathlib.Path(folder).resolve(), exceptions, says=lambda text: print(text, flush=True))
        return 0 if corpus.run_all(chosen, columns_of, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
