"""All benchmarks on both engines, as one document: `python -m benchmarks [--quick] [--only sale growth]`.

Each runs in a process of its own. Prints Markdown and writes it, with the figures as JSON, to var/bench.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

from benchmarks.harness import HISTORIES, ROOT, Table, machine, say

QUICK: dict[str, dict[str, Any]] = {
    "render": {"rounds": 40}, "sale": {"rounds": 1, "seconds": 5, "history": 10_000}, "confirm": {"rounds": 60},
    "push": {"rounds": 2}, "beside": {"rounds": 1}, "beside_plain": {"rounds": 1, "seconds": 5}, "growth": {"sizes": (10_000, 100_000), "rounds": 3}, "pull": {"rounds": 1}, "start": {"rounds": 3},
}  # fmt: skip
WHOLE: dict[str, dict[str, Any]] = {name: {} for name in QUICK} | {"sale": {"history": 1_000_000}}
WITHOUT_DATABASE = {"render"}


def one(name: str, options: dict[str, object]) -> None:
    """In the child: measure, and tell the parent as JSON."""
    before = machine()
    tables = importlib.import_module(f"benchmarks.{name}").measure(**options)
    print(json.dumps({"machine": before, "tables": [asdict(table) for table in tables]}))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="All benchmarks on both engines.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and at most 100,000 sales")
    parser.add_argument("--only", nargs="+", choices=list(QUICK), default=list(QUICK))
    parser.add_argument("--engines", nargs="+", choices=("sqlite", "mysql"), default=("sqlite", "mysql"))
    sent = parser.parse_args()
    plan = QUICK if sent.quick else WHOLE
    results = []
    for name in sent.only:
        for engine in sent.engines[:1] if name in WITHOUT_DATABASE else sent.engines:
            call = f"from benchmarks.__main__ import one; one({name!r}, {plan[name]!r})"
            child = subprocess.run(
                [sys.executable, "-c", call], cwd=ROOT, env={**os.environ, "DB_ENGINE": engine}, stdout=subprocess.PIPE,
                check=False,
            )  # fmt: skip
            if child.returncode:
                sys.exit(f"The benchmark {name} failed on {engine}.")
            found = json.loads(child.stdout.splitlines()[-1])
            results.append({"benchmark": name, "engine": engine, **found})
            state = found["machine"]
            print(f"## {name}\n\nPython {state['python']}, {state['cores']} cores, load {state['load']}, a loop of a million "
                  f"{state['loop_ms']} ms\n")  # fmt: skip
            for table in found["tables"]:
                print(Table(**table).markdown(), flush=True)
    HISTORIES.mkdir(parents=True, exist_ok=True)
    (HISTORIES / "results.json").write_text(json.dumps(results, indent=1))
    say(f"The figures are in {(HISTORIES / 'results.json').relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
