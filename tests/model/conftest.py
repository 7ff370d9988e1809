"""What several tests of descriptions ask."""

from __future__ import annotations

import jsonschema
import pytest

import iomsim as iom


@pytest.fixture(scope="session")
def checker() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(iom.schema())
    return jsonschema.Draft202012Validator(iom.schema())
