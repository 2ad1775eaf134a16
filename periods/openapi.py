"""What the API's schema says of closings and GST returns."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view

from foundation.api.schema import conflicts
from periods.errors import AlreadyClosed, AlreadyFiled, NothingToCorrect, NotTheLastClosing
from periods.serializers import ErrorsOut, GstReturnIn, GstReturnOut, PeriodIn, PeriodOut, ReopenIn

_TAGS = ["Books and GST"]

_PERIOD_EXAMPLE = {
    "id": 3,
    "client_temp_id": None,
    "starts_on": "2026-03-01",
    "ends_on": "2026-03-31",
    "closed_until": "2026-03-31",
    "documents": 812,
    "billed": "96412.18",
    "received": "91200.40",
    "reopens": None,
    "reopening": None,
    "reason": "",
    "user": 1,
    "user_name": "Alicia Admin",
    "created_at": "2026-04-02T10:12:00+08:00",
}
_PERIOD = OpenApiExample("a closing", value=_PERIOD_EXAMPLE, response_only=True, status_codes=["200", "201"])

periods = extend_schema_view(
    list=extend_schema(
        summary="List closings of the books",
        description="The latest first: its `closed_until` says up to when the books are closed now.",
        tags=_TAGS,
        examples=[_PERIOD],
    ),
    retrieve=extend_schema(summary="Read a closing", tags=_TAGS, examples=[_PERIOD]),
)

close_period = extend_schema(
    summary="Close the books up to a day",
    description="From the end of the last closing up to a day that is over. Whatever is recorded later, however long "
    "ago it happened, has a later ledger day: what was owed, paid and reported of the period stays as it is. Closing "
    "isn't filing: see the GST returns.",
    tags=_TAGS,
    request=PeriodIn,
    responses={201: PeriodOut, **conflicts(AlreadyClosed)},
    examples=[OpenApiExample("March", value={"ends_on": "2026-03-31"}, request_only=True), _PERIOD],
)

reopen_period = extend_schema(
    summary="Reopen the last closing",
    description="With a reason. Answers the row that reopens it. A GST return that was filed stays filed.",
    tags=_TAGS,
    request=ReopenIn,
    responses={201: PeriodOut, **conflicts(NotTheLastClosing)},
    examples=[
        OpenApiExample("closed too early", value={"reason": "Closed a month too many"}, request_only=True),
        OpenApiExample(
            "the reopening",
            value={
                **_PERIOD_EXAMPLE,
                "id": 4,
                "closed_until": "2026-02-28",
                "reopens": 3,
                "reason": "Closed a month too many",
            },
            response_only=True,
            status_codes=["201"],
        ),
    ],
)

_RETURN_EXAMPLE = {
    "id": 2,
    "client_temp_id": None,
    "form": "F5",
    "starts_on": "2026-04-01",
    "ends_on": "2026-06-30",
    "recorded_until": "2026-07-20",
    "box_1": "271004.15",
    "box_6": "24390.38",
    "reference": "GST2026Q2-778812",
    "parts": [
        {
            "starts_on": "2026-01-01",
            "ends_on": "2026-03-31",
            "recorded_after": "2026-04-20",
            "recorded_until": "2026-07-20",
            "documents": 1,
            "box_1": "100.00",
            "box_6": "9.00",
        },
        {
            "starts_on": "2026-04-01",
            "ends_on": "2026-06-30",
            "recorded_after": None,
            "recorded_until": "2026-07-20",
            "documents": 2431,
            "box_1": "270904.15",
            "box_6": "24381.38",
        },
    ],
    "user": 1,
    "user_name": "Alicia Admin",
    "created_at": "2026-07-21T15:01:00+08:00",
}
_RETURN = OpenApiExample("a return", value=_RETURN_EXAMPLE, response_only=True, status_codes=["200", "201"])

gst_returns = extend_schema_view(
    list=extend_schema(
        summary="List the GST returns that were filed",
        description="The latest first, each with what it declares of its own period and of the errors of earlier ones. "
        "`GET /api/reports/gst-documents/?gst_return=` lists the documents behind it.",
        tags=_TAGS,
        examples=[_RETURN],
    ),
    retrieve=extend_schema(summary="Read a GST return", tags=_TAGS, examples=[_RETURN]),
)

file_return = extend_schema(
    summary="Say that a GST return was filed",
    description="Keeps what was declared: all that counts in the period and was recorded by the end of the last day "
    "that is over. What turns up later for it is an error of that period. The next F5 corrects it where the net GST in "
    "error of all periods is at most S$3,000 and the supplies in error of each are at most 5 % of its box 4; else each "
    "period needs an F7, and no F5 has it.",
    tags=_TAGS,
    request=GstReturnIn,
    responses={201: GstReturnOut, **conflicts(AlreadyFiled, NothingToCorrect)},
    examples=[
        OpenApiExample(
            "a quarter's F5",
            value={
                "form": "F5",
                "starts_on": "2026-01-01",
                "ends_on": "2026-03-31",
                "reference": "GST2026Q1-661207",
            },
            request_only=True,
        ),
        _RETURN,
    ],
)

gst_errors = extend_schema(
    summary="What turned up for filed periods",
    description="Late sales and tax errors that no return declares yet, by period, and whether the next F5 may have "
    "them.",
    tags=_TAGS,
    responses=ErrorsOut,
    examples=[
        OpenApiExample(
            "a sale that came late",
            value={
                "periods": [
                    {
                        "starts_on": "2026-01-01",
                        "ends_on": "2026-03-31",
                        "documents": 1,
                        "box_1": "100.00",
                        "box_6": "9.00",
                    }
                ],
                "net_gst": "9.00",
                "may_be_in_next_f5": True,
                "too_much": "",
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
)
