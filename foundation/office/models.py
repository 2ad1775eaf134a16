"""What the office keeps for a while."""

from django.conf import settings
from django.db import models


class UploadedTable(models.Model):
    """A spreadsheet between its trial run and the import itself (see foundation.office.imports)."""

    name = models.CharField(max_length=32, unique=True, help_text="What the page sends back to have it imported.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    content = models.BinaryField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name
