"""A POST happens once for each id that its client gives it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK, HTTP_201_CREATED

from foundation.api.fields import ClientTempIdField
from foundation.operations.idempotency import Operation, current_operation, earlier_result, name_from_here, named

FIELD, HEADER = "client_temp_id", "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_ID = ClientTempIdField()

if TYPE_CHECKING:
    from rest_framework.viewsets import GenericViewSet

    _View = GenericViewSet[Any]
else:
    _View = object


class HappensOnce(_View):
    """Every POST takes the id of its operation: ``client_temp_id`` in the body, or the header Idempotency-Key.

    The same content again under the same id answers what the first one made, with 200 for 201 and a header that says
    so. Other content is a conflict. What the id is for is the first idempotent command that the view runs.
    """

    operations: ClassVar[Mapping[str, str | None]] = {}
    """The types of the operations by the view's action; left out: basename.action. None: one that takes no id."""
    target: ClassVar[str] = "id"
    """What the row that the path names is called in the operation's content."""

    @classmethod
    def happens_once(cls, method: str, action: str | None) -> bool:
        return method == "POST" and cls.operations.get(action or "", "") is not None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with named(None):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action is None:
            return  # the method itself is refused next
        if self.happens_once(str(request.method), self.action):
            name_from_here(self._operation(request))
        else:
            refuse_header(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        operation = current_operation()
        if operation is not None and operation.is_replayed and isinstance(response, Response):
            response.headers[REPLAYED] = "true"
            if response.status_code == HTTP_201_CREATED:
                response.status_code = HTTP_200_OK
        return super().finalize_response(request, response, *args, **kwargs)

    def _operation(self, request: Request) -> Operation | None:
        """Takes the id out of the body, which the view reads next. Raises DRF's ValidationError."""
        body = request.data if isinstance(request.data, dict) else {}
        header = request.headers.get(HEADER)
        if header is not None and not header.isascii():
            # Nobody says in what encoding a header is.
            raise ValidationError({HEADER: [ErrorDetail(f"A header is plain ASCII. Send it as {FIELD}.", "invalid")]})
        in_body, in_header = _read(body.pop(FIELD, None)), _read(header)
        if in_body and in_header and in_body != in_header:
            raise ValidationError({FIELD: [ErrorDetail(f"The header {HEADER} says another id.", "ids_differ")]})
        name = in_body or in_header
        if name is None:
            return None
        type = self.operations.get(self.action) or f"{self.basename}.{self.action}"
        return Operation(user=request.user, client_temp_id=name, type=type, sent={**body, **self.said_by_path()})

    def said_by_path(self) -> dict[str, Any]:
        """Which row the operation is about, as its content says it."""
        return {self.target: int(self.kwargs["pk"])} if "pk" in self.kwargs else {}


def earlier_or[R](make: Callable[[], R]) -> R:
    """What the same operation made before; else what ``make`` makes, which begins with checks that the first passed.

    It is looked for again where ``make`` is refused: another request with the same id may have been quicker.
    """
    earlier: Any = earlier_result()
    if earlier is not None:
        return cast(R, earlier)
    try:
        return make()
    except ValidationError:
        if (quicker := earlier_result()) is None:
            raise
        return cast(R, quicker)


def refuse_header(request: Request) -> None:
    """Of what takes no id: who sends one expects more than is given. Raises DRF's ValidationError."""
    if request.method not in SAFE_METHODS and HEADER in request.headers:
        raise ValidationError({HEADER: [ErrorDetail("This takes no id of its own.", "unknown_header")]})


def _read(value: Any) -> str | None:
    try:
        name: str | None = _ID.run_validation(value)
    except ValidationError as error:
        raise ValidationError({FIELD: error.detail}) from error
    return name
