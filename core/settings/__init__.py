"""Settings of HSH LPG. Everything that differs between machines comes from the environment or `.env`.

`.env.example` names every variable. No other module reads the environment.
"""

from core.settings.api import *  # noqa: F403
from core.settings.base import *  # noqa: F403
from core.settings.company import *  # noqa: F403
from core.settings.logging import *  # noqa: F403
from core.settings.security import *  # noqa: F403
from core.settings.storage import *  # noqa: F403
