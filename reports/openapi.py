"""What the API's schema says of reports and statements."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from foundation.api.schema import table_answers
from reports.catalogue import (
    CONSERVATION,
    DEPOSITS,
    DRIVER_DAY,
    GST,
    GST_DOCUMENTS,
    GST_F5,
    MISPRICED,
    RECEIVABLES,
    SALES_SUMMARY,
    STOCK,
)
from reports.serializers import StatementOut, StatementQuery

sales_summary = extend_schema(
    summary=SALES_SUMMARY.title,
    description="Documents and amounts of a period by day, week, month, depot, driver, customer or equipment. A void "
    "counts on its own day. Lines by equipment come with their type; what the meters billed stands on a line of its "
    "own.",
    tags=["Reports"],
    parameters=[SALES_SUMMARY.query],
    responses=table_answers(
        SALES_SUMMARY.answer,
        {
            "title": "Sales by day",
            "rows": [
                {
                    "key": "2026-01-20",
                    "name": "2026-01-20",
                    "invoices": 31,
                    "credit_notes": 1,
                    "subtotal": "4210.50",
                    "gst_amount": "361.75",
                    "total_amount": "4572.25",
                    "type": None,
                    "quantity": None,
                }
            ],
            "totals": {
                "invoices": 31,
                "credit_notes": 1,
                "subtotal": "4210.50",
                "gst_amount": "361.75",
                "total_amount": "4572.25",
                "quantity": None,
            },
            "figures": [{"name": "cash_rounding", "label": "Cash rounding", "value": "-0.14"}],
        },
    ),
    filters=False,
)

gst = extend_schema(
    summary=GST.title,
    description="Standard-rated supplies and output tax by month and rate, net of credit notes, as the GST return "
    "(form GST F5, boxes 1 and 6) asks for them.",
    tags=["Reports"],
    parameters=[GST.query],
    responses=table_answers(
        GST.answer,
        {
            "title": "GST return",
            "rows": [
                {
                    "month": "2026-01",
                    "gst_rate": "9.00",
                    "invoices": 812,
                    "invoiced_supplies": "101200.00",
                    "invoiced_tax": "9108.00",
                    "credit_notes": 3,
                    "credited_supplies": "-200.00",
                    "credited_tax": "-18.00",
                    "standard_rated_supplies": "101000.00",
                    "output_tax": "9090.00",
                    "outside_gst": "3600.00",
                }
            ],
            "totals": {
                "invoices": 812,
                "invoiced_supplies": "101200.00",
                "invoiced_tax": "9108.00",
                "credit_notes": 3,
                "credited_supplies": "-200.00",
                "credited_tax": "-18.00",
                "standard_rated_supplies": "101000.00",
                "output_tax": "9090.00",
                "outside_gst": "3600.00",
            },
        },
    ),
    filters=False,
)

gst_f5 = extend_schema(
    summary=GST_F5.title,
    description="The boxes of IRAS's form GST F5 that these books know: of a return that was filed, as it was filed; "
    "else as it would be now, with the errors of earlier periods that it may correct. `amount` is the sum of the "
    "documents that `gst-documents` lists, `declared` what the form takes: values without cents.",
    tags=["Reports"],
    parameters=[GST_F5.query],
    responses=table_answers(
        GST_F5.answer,
        {
            "title": "GST F5",
            "rows": [
                {
                    "box": "1",
                    "label": "Total value of standard-rated supplies",
                    "amount": "101000.40",
                    "declared": "101000.00",
                    "documents": 815,
                }
            ],
            "figures": [
                {"name": "errors_box_1", "label": "Of it errors of 2026-01-01 to 2026-03-31, box 1", "value": "100.00"}
            ],
        },
    ),
    filters=False,
)

gst_documents = extend_schema(
    summary=GST_DOCUMENTS.title,
    description="Each document of a GST return, filed or as it would be now; the totals are its boxes 1 and 6. "
    "`gst_on` says in which period it counts: on its tax point, or where it puts an error right on the day of that.",
    tags=["Reports"],
    parameters=[GST_DOCUMENTS.query],
    responses=table_answers(
        GST_DOCUMENTS.answer,
        {
            "title": "Documents of a GST return",
            "rows": [
                {
                    "number": "INV-20260402-000007",
                    "kind": "Tax invoice",
                    "credit_kind": "",
                    "date": "2026-04-02",
                    "tax_point_on": "2026-03-31",
                    "gst_on": "2026-03-31",
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "gst_rate": "9.00",
                    "box_1": "100.00",
                    "box_6": "9.00",
                    "outside_gst": "0.00",
                    "invoice": 31,
                }
            ],
            "totals": {"box_1": "100.00", "box_6": "9.00", "outside_gst": "0.00"},
        },
    ),
    filters=False,
)

mispriced = extend_schema(
    summary=MISPRICED.title,
    description="Standing documents that the books would price otherwise now, line by line, as of each sale's own "
    "moment: what a contract's, an item's, a meter's or the GST's rate that was put right leaves to correct. "
    "`quantity` is what was not credited yet, `difference` how much too much it was billed before GST; negative: too "
    "little. A `rate_in_force` of null: there is no price by now. Rates that somebody overrode on purpose aren't "
    "listed.",
    tags=["Reports"],
    parameters=[MISPRICED.query],
    responses=table_answers(
        MISPRICED.answer,
        {
            "title": "Priced otherwise",
            "rows": [
                {
                    "number": "INV-20260120-000001",
                    "date": "2026-01-20",
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "line": 1,
                    "type": "SWAP",
                    "sku": "CYL-14-POL",
                    "item": "14 kg POL cylinder",
                    "quantity": 50,
                    "rate": "36.00",
                    "rate_in_force": "34.00",
                    "difference": "100.00",
                    "gst_amount": "9.00",
                    "total_amount": "109.00",
                    "transaction": 31,
                    "invoice": 31,
                }
            ],
            "totals": {"difference": "100.00", "gst_amount": "9.00", "total_amount": "109.00"},
        },
    ),
    filters=False,
)

stock = extend_schema(
    summary=STOCK.title,
    description="Pieces by place, equipment and condition, now or at an earlier moment.",
    tags=["Reports"],
    parameters=[STOCK.query],
    responses=table_answers(
        STOCK.answer,
        {
            "title": "Stock",
            "rows": [
                {
                    "place": "depot HSH KB",
                    "kind": "DEPOT",
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "condition": "FULL",
                    "quantity": 118,
                }
            ],
            "totals": {"quantity": 118},
        },
    ),
    filters=False,
)

conservation = extend_schema(
    summary=CONSERVATION.title,
    description="ADMIN only. Each equipment's pieces by kind of place; together they are 0, now and at any earlier "
    "moment.",
    tags=["Reports"],
    parameters=[CONSERVATION.query],
    responses=table_answers(
        CONSERVATION.answer,
        {
            "title": "Conservation of cylinders",
            "rows": [
                {
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "depots": 118,
                    "vehicles": 14,
                    "customers": 38,
                    "field": 0,
                    "outside": -170,
                    "total": 0,
                }
            ],
            "totals": {"depots": 118, "vehicles": 14, "customers": 38, "field": 0, "outside": -170, "total": 0},
        },
    ),
    filters=False,
)

driver_day = extend_schema(
    summary=DRIVER_DAY.title,
    description="What the vehicle carried, and what was billed and taken. Drivers read their own.",
    tags=["Reports"],
    parameters=[DRIVER_DAY.query],
    responses=table_answers(
        DRIVER_DAY.answer,
        {
            "title": "Day of Tan Ah Beng",
            "rows": [
                {
                    "sku": "CYL-14-POL",
                    "name": "14 kg POL cylinder",
                    "condition": "FULL",
                    "opening": 0,
                    "loaded": 20,
                    "delivered": 6,
                    "collected": 0,
                    "unloaded": 0,
                    "other": 0,
                    "closing": 14,
                }
            ],
            "totals": {
                "opening": 0,
                "loaded": 20,
                "delivered": 6,
                "collected": 0,
                "unloaded": 0,
                "other": 0,
                "closing": 14,
            },
            "figures": [{"name": "cash", "label": "Cash taken, less paid back", "value": "205.50"}],
        },
    ),
    filters=False,
)

receivables = extend_schema(
    summary=RECEIVABLES.title,
    description="What customers owe by days overdue, less their credit, as of any date. It goes by the days of "
    "recording, so that a past day's figures never change; beside it is what came in by then and was entered later.",
    tags=["Reports"],
    parameters=[RECEIVABLES.query],
    responses=table_answers(
        RECEIVABLES.answer,
        {
            "title": "Receivables",
            "rows": [
                {
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "current": "179.31",
                    "days_1_30": "0.00",
                    "days_31_60": "0.00",
                    "days_61_90": "0.00",
                    "days_over_90": "0.00",
                    "credit": "-20.69",
                    "total": "158.62",
                    "entered_later": "0.00",
                }
            ],
            "totals": {
                "current": "179.31",
                "days_1_30": "0.00",
                "days_31_60": "0.00",
                "days_61_90": "0.00",
                "days_over_90": "0.00",
                "credit": "-20.69",
                "total": "158.62",
                "entered_later": "0.00",
            },
        },
    ),
    filters=False,
)

deposits = extend_schema(
    summary=DEPOSITS.title,
    description="ADMIN only. What customers hold against deposits, in pieces and money by age, as of any date.",
    tags=["Reports"],
    parameters=[DEPOSITS.query],
    responses=table_answers(
        DEPOSITS.answer,
        {
            "title": "Deposits held",
            "rows": [
                {
                    "customer_code": "CUS-20260120-000001",
                    "name": "Ah Hock Chicken Rice",
                    "sku": "CYL-14-POL",
                    "quantity": 2,
                    "amount": "120.00",
                    "up_to_1_year": "60.00",
                    "up_to_2_years": "60.00",
                    "up_to_3_years": "0.00",
                    "older": "0.00",
                }
            ],
            "totals": {
                "quantity": 2,
                "amount": "120.00",
                "up_to_1_year": "60.00",
                "up_to_2_years": "60.00",
                "up_to_3_years": "0.00",
                "older": "0.00",
            },
        },
    ),
    filters=False,
)

customer_statement = extend_schema(
    summary="Read a customer's statement of account",
    description="ADMIN only. Opening balance, invoices, credit notes and payments of a period, closing balance and "
    "its ageing. `format=pdf` is the document for the customer.",
    tags=["Payments"],
    parameters=[StatementQuery],
    responses={
        (200, "application/json"): OpenApiResponse(
            StatementOut,
            examples=[
                OpenApiExample(
                    "January",
                    value={
                        "customer": 1,
                        "customer_code": "CUS-20260120-000001",
                        "customer_name": "Ah Hock Chicken Rice",
                        "date_from": "2026-01-01",
                        "date_to": "2026-01-31",
                        "opening_balance": "0.00",
                        "entries": [
                            {
                                "date": "2026-01-20",
                                "kind": "INVOICE",
                                "number": "INV-20260120-000001",
                                "details": "",
                                "due_on": "2026-02-19",
                                "amount": "179.31",
                                "balance": "179.31",
                            }
                        ],
                        "closing_balance": "179.31",
                        "ageing": {
                            "current": "179.31",
                            "days_1_30": "0.00",
                            "days_31_60": "0.00",
                            "days_61_90": "0.00",
                            "days_over_90": "0.00",
                            "credit": "0.00",
                        },
                    },
                    response_only=True,
                    status_codes=["200"],
                )
            ],
        ),
        (200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="`format=pdf`"),
    },
    filters=False,
)
