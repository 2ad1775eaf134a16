"""Django's classes of the office, with the model that they are for in brackets: ``ModelAdmin[Invoice]``.

Its stubs declare them so; at run time Django 6.1 takes such brackets after querysets, managers and fields alone.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as ModelAdmin
    from django.contrib.admin import TabularInline as TabularInline
    from django.forms import ModelChoiceField as ModelChoiceField
    from django.forms import ModelForm as ModelForm
else:
    from django import forms
    from django.contrib import admin

    from foundation.office.texts import StoresText

    class _TakesBrackets:
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class ModelAdmin(_TakesBrackets, StoresText, admin.ModelAdmin): ...

    class TabularInline(_TakesBrackets, StoresText, admin.TabularInline): ...

    class ModelForm(_TakesBrackets, forms.ModelForm): ...

    class ModelChoiceField(_TakesBrackets, forms.ModelChoiceField): ...


FieldGroups = tuple[str | tuple[str, ...], ...]
"""The fields of a page; those in one tuple stand in one line."""
