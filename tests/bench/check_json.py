# SPDX-License-Identifier: MIT
"""Runs malt-bench once, quickly, and checks what it prints: every key is there, every figure is a positive number.

How fast anything is, is not checked: that depends on what else the machine does.
"""
import json
import math
import os
import subprocess
import sys

REGIME_KEYS = ["echo", "call", "distributed_call", "eval", "distributed_eval", "error", "call_spaced",
               "inprocess_call", "inprocess_eval", "distributed_backend_call", "distributed_backend_eval"]
OTHER_KEYS = [
    "julia_startup_ms", "launch_ms", "distributed_launch_ms", "bulk_out_ms", "bulk_in_ms",
    "distributed_bulk_out_ms", "distributed_bulk_in_ms", "memcpy_ms",
    "distributed_backend_launch_ms", "distributed_backend_next_launch_ms", "distributed_backend_bulk_out_ms",
    "inprocess_start_ms", "inprocess_bulk_out_ms", "inprocess_native_ns", "inprocess_direct_ns",
]
FACTS = ["transport", "julia_version", "backend", "julia"]


def expected_figures():
    keys = OTHER_KEYS + [name + "_us" for name in REGIME_KEYS]
    if len(os.sched_getaffinity(0)) > 1:
        keys += [name + "_2core_us" for name in REGIME_KEYS]
    return keys


def find_faults(figures):
    faults = [f"{key} is missing" for key in FACTS if not figures.get(key)]
    for key in expected_figures() + ["cpu_idle_s"]:
        value = figures.get(key)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            faults.append(f"{key} is {value!r}, expected a number")
        elif value < 0 or (value == 0 and key != "cpu_idle_s"):
            faults.append(f"{key} is {value}, expected more than 0")
    return faults


def main():
    command = [sys.argv[1], "--quick", "--json"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=250).stdout
    figures = json.loads(output)
    print(json.dumps(figures, indent=1))
    faults = find_faults(figures)
    for fault in faults:
        print(f"check_json.py: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
