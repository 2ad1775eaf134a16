"""The image's health check: is this container's server ready? It asks under a name that the server answers to."""

import os
import sys
from http.client import HTTPConnection

host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".*") or "127.0.0.1"
connection = HTTPConnection("127.0.0.1", 8000, timeout=4)
connection.request("GET", "/api/health/ready/", headers={"Host": host})
sys.exit(0 if connection.getresponse().status == 200 else 1)
