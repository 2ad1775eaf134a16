"""Documents in a bucket, for application servers that share no disk (DOCUMENTS_BUCKET, requirements-s3.txt).

Keys, region and another endpoint than Amazon's come from the environment as boto3 reads it (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import ContentFile, File
from storages.backends.s3 import S3Storage

# A sale holds its locks while its document is stored: it is refused soon rather than kept waiting.
_CLIENT = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})


class ObjectStorage(S3Storage):  # type: ignore[misc]  # it has no types
    """A bucket that fails as a disk does: OSError, and FileNotFoundError for what isn't there."""

    def __init__(self, **settings: object) -> None:
        super().__init__(client_config=_CLIENT, **settings)

    def _save(self, name: str, content: File[bytes]) -> str:
        with _failures():
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        with _failures(), super()._open(name, mode) as file:
            return ContentFile(file.read(), name=name)

    def delete(self, name: str) -> None:
        with _failures():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with _failures():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _failures():
            folders, files = super().listdir(name)
            return folders, files

    def get_modified_time(self, name: str) -> datetime:
        with _failures():
            moment: datetime = super().get_modified_time(name)
            return moment


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
            raise FileNotFoundError(str(error)) from error
        raise OSError(str(error)) from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error
