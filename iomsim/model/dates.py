"""Fields of a description that are dates and hours: local ones, and never mistaken for numbers."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from iomsim.errors import quote


def _written(example: str) -> BeforeValidator:
    """Refuse numbers, which would be read as seconds since 1970."""

    def check(value: Any) -> Any:
        if isinstance(value, (int, float)):
            raise ValueError(f"must be {example}, got {quote(value)}")
        return value

    return BeforeValidator(check)


def _local(moment: Any) -> Any:
    if moment.tzinfo is not None:
        raise ValueError("is a local time of the seat; leave out the offset")
    return moment


Day = Annotated[date, _written("a date such as 2023-05-15")]
Hour = Annotated[time, _written("a time such as 10:00"), AfterValidator(_local)]
Moment = Annotated[datetime, _written("a date and time such as 2023-05-15T10:00"), AfterValidator(_local)]
