"""Settings of HSH LPG. Everything that differs between machines comes from the environment or `.env`.

`.env.example` names every variable. No other module reads the environment.
"""

from core.settings.api import *
from core.settings.base import *
from core.settings.company import *
from core.settings.logging import *
from core.settings.security import *
from core.settings.storage import *
