"""The people who use the system."""

from typing import Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.db import models
from django.utils import timezone

from depots.models import Depot
from fleet.models import number_validator
from foundation.access.capabilities import Capability, Role, Scope, scope_of
from foundation.access.grants import is_granted
from foundation.ledger.models import LedgerModel, LedgerQuerySet
from foundation.searching import SearchText


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: "User") -> Self:
        """Everybody for those who read users, else nobody."""
        return self if user.can(Capability.VIEW_USERS) else self.none()


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: "User") -> UserQuerySet:
        return self.get_queryset().visible_to(user)

    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        """Make a user; without a password they can't log in."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username: str, password: str | None = None, **fields: object) -> "User":
        """Make an ADMIN; what ``manage.py createsuperuser`` calls."""
        return self.create_user(username, password, **{**fields, "role": Role.ADMIN})


class User(AbstractBaseUser):
    """A person with one role, which decides everything that they may do (`foundation.access.capabilities`).

    Django's own groups and permissions aren't used: two tables of rights would be one too many.
    """

    entity = "accounts.user"

    username = models.CharField(
        max_length=64,
        unique=True,
        validators=[ASCIIUsernameValidator()],
        error_messages={"unique": "A user with that username already exists."},
    )
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(blank=True)
    role = models.CharField(max_length=16, choices=Role)
    employee_id = models.CharField(max_length=32, unique=True, null=True, blank=True)
    depot = models.ForeignKey(Depot, on_delete=models.PROTECT, null=True, blank=True, related_name="users")
    depot_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when the depot is what it is; empty: ever since."
    )
    vehicle_no = models.CharField(
        max_length=16,
        blank=True,
        db_index=True,
        validators=[number_validator],
        help_text="The vehicle that this user sells from; empty: from FIELD. Another one counts from now on.",
    )
    vehicle_since = models.DateTimeField(
        null=True, editable=False, help_text="Since when: that of the latest assignment; empty: ever since."
    )
    is_active = models.BooleanField(
        default=True, help_text="Nobody is deleted. A deactivated user's tokens stop working at once."
    )
    deactivated_at = models.DateTimeField(null=True, editable=False, help_text="Since when they are let in no more.")
    date_joined = models.DateTimeField(default=timezone.now)
    search_name = SearchText("username", "first_name", "last_name", "employee_id")

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    objects = UserManager()

    class Meta:
        ordering = ("username",)

    def __str__(self) -> str:
        return self.username

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.username

    def get_short_name(self) -> str:
        return self.first_name or self.username

    def scope(self, capability: Capability) -> Scope | None:
        """On which rows this user holds a capability; None: not at all."""
        return scope_of(self.role, capability) if self.is_active or is_granted(self) else None

    def can(self, capability: Capability) -> bool:
        return self.scope(capability) is not None

    @property
    def is_staff(self) -> bool:
        """What Django admin asks before it lets somebody in."""
        return self.can(Capability.USE_OFFICE)

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's own permissions are the ADMIN's; each ModelAdmin of ours asks `can` instead."""
        return self.is_superuser

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class PastDepot(LedgerModel):
    """The depot that a user had until ``until``: for what happened in that time and arrives later."""

    entity = "accounts.pastdepot"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="past_depots")
    depot = models.ForeignKey(
        Depot, on_delete=models.PROTECT, null=True, related_name="past_users", help_text="Empty: none."
    )
    until = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ("-until",)
        indexes = (models.Index(fields=("user", "until"), name="past_depot_idx"),)

    def __str__(self) -> str:
        return f"{self.user} at {self.depot or 'no depot'} until {self.until}"


class LogInAttempt(models.Model):
    """An attempt to log in, for as long as it counts: the holder of a numbered place (see accounts.throttling)."""

    key = models.CharField(
        max_length=64, help_text="SHA-256 of what is counted: a door and an address, or a user name."
    )
    window = models.BigIntegerField(help_text="Which period since 1970.")
    place = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = "log-in attempt"
        ordering = ("id",)
        indexes = (models.Index(fields=("at",), name="log_in_attempt_at_idx"),)
        constraints = (models.UniqueConstraint(fields=("key", "window", "place"), name="log_in_attempt_place_unique"),)

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.at}"
