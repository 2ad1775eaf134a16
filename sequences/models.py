"""Where document numbers come from: tickets printed ahead, used once."""

from django.db import models


class Sequence(models.Model):
    """The counter of one prefix and day: tickets 1 to ``last_number`` have been printed."""

    entity = "sequences.sequence"

    prefix = models.CharField(max_length=8)
    date = models.DateField(help_text="The Singapore date inside the number.")
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-date", "prefix")
        constraints = (models.UniqueConstraint(fields=("prefix", "date"), name="sequence_prefix_date_unique"),)

    def __str__(self) -> str:
        return f"{self.prefix}-{self.date:%Y%m%d}"


class Ticket(models.Model):
    """A number that is printed and not used yet. Using it deletes the row; a rollback gives it back."""

    entity = "sequences.ticket"

    prefix = models.CharField(max_length=8)
    date = models.DateField()
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ("prefix", "date", "number")
        constraints = (models.UniqueConstraint(fields=("prefix", "date", "number"), name="ticket_number_unique"),)

    def __str__(self) -> str:
        return format_number(self)


def format_number(ticket: Ticket) -> str:
    """``INV-20260120-000001``: prefix, Singapore date, number of the day."""
    return f"{ticket.prefix}-{ticket.date:%Y%m%d}-{ticket.number:06d}"
