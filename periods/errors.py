"""Why a closing or a return is refused."""

from foundation.confirmations import Question
from foundation.errors import Conflict


class AlreadyClosed(Conflict):
    """The books are closed up to that day already."""

    code = "already_closed"


class NotTheLastClosing(Conflict):
    """A closing that was reopened, or that another one follows: the last one is reopened first."""

    code = "not_the_last_closing"


class AlreadyFiled(Conflict):
    """A return of this period was filed, or of a later one."""

    code = "already_filed"


class NothingToCorrect(Conflict):
    """No F5 of this period was filed, or nothing has turned up since."""

    code = "nothing_to_correct"


class EarlierDocuments(Question):
    """What counts before the first return is in none."""

    code = "earlier_documents"


class ErrorsLeftOut(Question):
    """Errors of earlier periods are more than a next F5 may correct: they need an F7."""

    code = "errors_left_out"
