"""Fields of the office's forms that Django's own aren't enough for."""

import re
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect

_KEY = re.compile(r"[0-9]{1,18}", re.ASCII)


class FoundByTyping(AutocompleteSelect):
    """Shows what was chosen, and nothing where that can be no row: Django's own would look it up, and fail."""

    def optgroups(self, name: str, value: Any, attrs: Any = None) -> Any:
        return super().optgroups(name, [each for each in map(str, value) if _KEY.fullmatch(each)], attrs)


class MomentField(forms.DateTimeField):
    """A date and a time of day, picked by the browser's own means."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
