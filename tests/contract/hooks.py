"""What schemathesis leaves out: requests that no application sees, because the server before it refuses them (414)."""

from typing import Any
from urllib.parse import urlencode

import schemathesis

LONGEST = 3_000


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    return len(urlencode(query or {}, doseq=True)) <= LONGEST
