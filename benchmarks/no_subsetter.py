"""Imported before anything else, it lets WeasyPrint find every library but HarfBuzz's subsetter."""

from cffi import FFI

_open_library = FFI.dlopen


def _dlopen(self: FFI, name: str, flags: int = 0) -> object:
    if "harfbuzz" in name and "subset" in name:
        raise OSError(name)
    return _open_library(self, name, flags)


FFI.dlopen = _dlopen
