#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With which Julia the tests have passed: writes the README's table from outputs of test.sh.

Usage: tested.py [LOG...]

Each log is what test.sh has printed, or its first line and what a ctest for some of the tests has. A run takes the place of an
earlier one of the same julia in tested.txt; several logs of one julia are one run, in which a later result of a test counts.
Without a log, only the table is written again."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RUNS = SOURCE / "core/setup/tested.txt"
README = SOURCE / "README.md"
HEAD = "# version, part, passed, skipped, failed: written by tested.py\n"
BEGIN, END = "<!-- tested.py writes this table -->\n", "<!-- its end -->\n"
JULIA = re.compile(r"^julia (\S+): /")
RESULT = re.compile(r"^ *\d+/\d+ +Test +#\d+: (\S+) [. ]*(Passed|\*\*\*\S+)", re.MULTILINE)
PARTS = ("malt-process", "distributed", "inprocess", "the command", "others")


def part_of(test):
    """The column of a test; None for what is run under Wine."""
    if "windows" in test:
        return None
    for part in PARTS[:3]:
        if part in test:
            return part
    return PARTS[3] if test.startswith("cli-") else PARTS[4]


def read_log(text):
    """The version, and what became of each test."""
    julia = JULIA.match(text)
    if not julia:
        raise ValueError("the first line does not name the julia, as test.sh does")
    return julia[1], dict(RESULT.findall(text))


def summarise(results):
    """{part: (passed, skipped, names of the failed)}"""
    summary = {}
    for test, result in results.items():
        part = part_of(test)
        if part is None:
            continue
        passed, skipped, failed = summary.get(part, (0, 0, ()))
        if result == "Passed":
            passed += 1
        elif result == "***Skipped":
            skipped += 1
        else:
            failed = tuple(sorted({*failed, test}))
        summary[part] = passed, skipped, failed
    return summary


def read_runs(text):
    runs = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            version, part, passed, skipped, *failed = line.split("\t")
            runs.setdefault(version, {})[part] = int(passed), int(skipped), tuple(failed)
    return runs


def write_runs(runs):
    lines = ["\t".join([version, part, str(passed), str(skipped), *failed]) for version in sorted(runs, key=version_key)
             for part in PARTS if part in runs[version] for passed, skipped, failed in [runs[version][part]]]
    return HEAD + "".join(line + "\n" for line in lines)


def version_key(version):
    return [(not word.isdigit(), int(word) if word.isdigit() else 0, word) for word in re.split(r"[.\-+]", version)]


def cell(summary):
    if summary is None:
        return ""
    passed, skipped, failed = summary
    text = f"{passed} of {passed + len(failed)}"
    if failed:
        text += ", not " + ", ".join(f"`{test}`" for test in failed)
    return text + (f", {skipped} skipped" if skipped else "")


def table(runs):
    rows = [["Julia", *(f"`{part}`" for part in PARTS[:3]), *PARTS[3:]], ["---"] * (len(PARTS) + 1)]
    rows += [[version, *(cell(runs[version].get(part)) for part in PARTS)] for version in sorted(runs, key=version_key)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def put_table(readme, runs):
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the README has no place for the table")
    return before + begin + table(runs) + end + after


def main(logs):
    runs = read_runs(RUNS.read_text()) if RUNS.exists() else {}
    results = {}
    for log in logs:
        try:
            version, seen = read_log(pathlib.Path(log).read_text(errors="replace"))
        except ValueError as error:
            sys.exit(f"tested.py: {log}: {error}")
        results.setdefault(version, {}).update(seen)
    runs.update({version: summarise(seen) for version, seen in results.items()})
    RUNS.write_text(write_runs(runs))
    README.write_text(put_table(README.read_text(), runs))


if __name__ == "__main__":
    main(sys.argv[1:])
