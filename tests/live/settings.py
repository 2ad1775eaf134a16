"""The settings of a site for tests: the application's own, but for what a log-in costs."""

from core.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
