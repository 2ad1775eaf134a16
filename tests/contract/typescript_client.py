"""Runs the TypeScript client against a live site: `python -m tests.contract.typescript_client`, after it was compiled."""

import os
import subprocess
import sys

import django


def main() -> None:
    django.setup()
    from testbed.servers import ROOT
    from tests.contract.demo_site import demo_site

    with demo_site() as site:
        done = subprocess.run(
            ["npm", "run", "--silent", "start"], cwd=ROOT / "examples/typescript_client", capture_output=True, text=True,
            env={**os.environ, "API_URL": f"http://127.0.0.1:{site.port}"}, timeout=300, check=False,
        )  # fmt: skip
        said = done.stdout.splitlines()
        numbers = [line.split(": ", 1)[1] for line in said[:2]]
        if done.returncode or len(set(numbers)) != 1 or not said[2].startswith("refused: Only "):
            sys.exit(f"{done.stdout}{done.stderr}")
        site.manage("verify_books")


if __name__ == "__main__":
    main()
