"""All writes of closings and GST returns."""

from periods.services.closing import NewPeriod, close_period, reopen_period
from periods.services.filing import NewReturn, file_return

__all__ = ["NewPeriod", "NewReturn", "close_period", "file_return", "reopen_period"]
