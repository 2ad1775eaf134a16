"""A live site answers what its schema says, to every role, whatever it is sent (schemathesis).

No 5xx, no undocumented status, content type or shape, no operation without a token that needs one. Whether a valid
request is refused for its meaning isn't judged: that is what the rules are for.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.access.capabilities import Role
from testbed.servers import ROOT, Site, on_mariadb
from tests.contract.demo_site import demo_site, demo_token

USERS = {
    Role.DRIVER: "driver1", Role.SALES: "sales", Role.DEPOT_STAFF: "depot", Role.SUPERVISOR: "supervisor",
    Role.ADMIN: "admin",
}  # fmt: skip
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "4"))
IS_NIGHTLY = "CONTRACT_EXAMPLES" in os.environ
ROLES = list(USERS) if IS_NIGHTLY else [role for role in USERS if (role == Role.ADMIN) is not on_mariadb()]
"""make nightly tries each role on each engine; the suite the administrator on SQLite, the others on MariaDB."""
SEED = os.environ.get("CONTRACT_SEED", "20261122")
JUDGED = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance," \
    "response_schema_conformance,ignored_auth,unsupported_method,missing_required_header"  # fmt: skip


@pytest.fixture(scope="module")
def tokens() -> Iterator[tuple[Site, dict[Role, str]]]:
    """All of them log in before an administrator's requests shut anybody out."""
    with demo_site() as site:
        yield site, {role: demo_token(site, username) for role, username in USERS.items()}


@pytest.mark.xdist_group("schema")
@pytest.mark.parametrize("role", ROLES, ids=str)
def test_the_answers_are_those_of_the_schema(role: Role, tokens: tuple[Site, dict[Role, str]], tmp_path: Path) -> None:
    site, of_role = tokens
    # Every way to spoil a parameter once, by who may do most; of the others, what a role changes.
    phases = "examples,coverage,fuzzing" if role == Role.ADMIN else "examples,fuzzing"
    # A new password or a log-out would end this run's own token.
    own = "set-password|blacklist"
    done = subprocess.run(
        [Path(sys.executable).with_name("st"), "run", "docs/openapi.yaml", f"--url=http://127.0.0.1:{site.port}",
         f"--header=Authorization: Bearer {of_role[role]}", f"--checks={JUDGED}", f"--phases={phases}",
         f"--max-examples={EXAMPLES}", f"--seed={SEED}", f"--exclude-path-regex={own}", "--continue-on-failure",
         "--warnings=off", "--request-timeout=60"],
        cwd=ROOT, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", "SCHEMATHESIS_HOOKS": "tests.contract.hooks"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "No issues found" in done.stdout
