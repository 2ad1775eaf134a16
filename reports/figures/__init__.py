"""The reports: reads that add up the books, each for what its reader may see. They change nothing."""

from reports.figures.day import driver_day
from reports.figures.deposits import deposits
from reports.figures.gst import gst_documents, gst_f5
from reports.figures.mispriced import mispriced
from reports.figures.receivables import receivables
from reports.figures.sales import GroupBy, gst, sales_summary
from reports.figures.statement import Statement, statement
from reports.figures.stock import conservation, stock

__all__ = [
    "GroupBy",
    "Statement",
    "conservation",
    "deposits",
    "driver_day",
    "gst",
    "gst_documents",
    "gst_f5",
    "mispriced",
    "receivables",
    "sales_summary",
    "statement",
    "stock",
]
