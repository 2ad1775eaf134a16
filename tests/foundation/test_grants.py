"""A right for one block: for one user, and gone with it."""

import pytest

from accounts.models import User
from foundation.access.capabilities import Capability, Role
from foundation.access.grants import acting_for

LEFT = User(pk=7, username="left", role=Role.DRIVER, is_active=False)
OTHER = User(pk=8, username="other", role=Role.DRIVER, is_active=False)
NEW = User(username="new", role=Role.DRIVER, is_active=False)


def test_it_holds_for_one_user_in_one_block() -> None:
    assert not LEFT.can(Capability.RECORD_SALE)
    with acting_for(LEFT):
        assert LEFT.can(Capability.RECORD_SALE)
        assert User(pk=7, role=Role.DRIVER, is_active=False).can(Capability.RECORD_SALE)
        assert not LEFT.can(Capability.VOID_SALE)  # the role has no more than it had
        assert not OTHER.can(Capability.RECORD_SALE)
        assert not NEW.can(Capability.RECORD_SALE)
        assert not LEFT.is_active
    assert not LEFT.can(Capability.RECORD_SALE)


def test_it_ends_with_a_failure() -> None:
    with pytest.raises(RuntimeError), acting_for(LEFT):
        raise RuntimeError
    assert not LEFT.can(Capability.RECORD_SALE)


def test_nobody_unsaved_has_it() -> None:
    with acting_for(NEW):
        assert not NEW.can(Capability.RECORD_SALE)
        assert not OTHER.can(Capability.RECORD_SALE)
