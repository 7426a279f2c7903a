# SPDX-License-Identifier: MIT
"""What `malt run FILE` costs beside `julia FILE`, in pairs one after the other, and the memory of the command.

    bench_command.py MALT [--pairs N] [--mib N] [--backend NAME] [--limits]

Prints one line of JSON. With --limits the status is 1 if the processor time is above 1.35 times that of julia, or the wall time above
1.5 times; the memory must always be below 20 MB, with a reader that takes its time."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CPU_LIMIT, WALL_LIMIT, MEMORY_LIMIT_MB = 1.35, 1.5, 20


def measure(command):
    """Processor and wall time of a command that ends well, in seconds."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    assert status == 0, command
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin


def compare(ours, julias, n_pairs):
    pairs = [(measure(julias), measure(ours)) for _ in range(n_pairs)]
    figures = {}
    for i, name in enumerate(("cpu", "wall")):
        julia, malt = (statistics.median(pair[who][i] for pair in pairs) for who in (0, 1))
        figures[name] = {"julia": round(julia, 4), "malt": round(malt, 4), "ratio": round(malt / julia, 3)}
    return figures


def peak_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def read_slowly(command, mib):
    """The greatest memory of the command itself, while somebody reads 64 KiB at a time, all of it in a second or more."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        n, peak = 0, 0.0
        while n < mib << 20:
            time.sleep(0.001)
            piece = os.read(process.stdout.fileno(), 65536)
            assert piece, f"the output ends after {n} bytes"
            n += len(piece)
            peak = max(peak, peak_mb(process.pid))
        process.stdout.close()
        process.kill()
    return round(peak, 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("malt")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--mib", type=int, default=100)
    parser.add_argument("--backend", default="malt-process")
    parser.add_argument("--limits", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hello, prints = os.path.join(folder, "hello.jl"), os.path.join(folder, "prints.jl")
        with open(hello, "w", encoding="ascii") as file:
            file.write('println("hello")\n')
        with open(prints, "w", encoding="ascii") as file:
            file.write('text = "x"^65535; for _ in 1:16 * %d println(text) end; sleep(60)\n' % given.mib)
        malt = [given.malt, "run", "-b", given.backend]
        figures = compare([*malt, hello], [os.environ["MALT_JULIA"], "--startup-file=no", hello], given.pairs)
        figures["memory_mb"] = read_slowly([*malt, prints], given.mib)
    print(json.dumps(figures))
    is_slow = figures["cpu"]["ratio"] > CPU_LIMIT or figures["wall"]["ratio"] > WALL_LIMIT
    return figures["memory_mb"] >= MEMORY_LIMIT_MB or (given.limits and is_slow)


if __name__ == "__main__":
    sys.exit(main())
