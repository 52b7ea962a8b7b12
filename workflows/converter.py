"""How payloads and failures are written into the engine: pydantic's JSON, and refusals without a stack."""

from __future__ import annotations

import dataclasses
from typing import get_args

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError

from activities.outcome import Result

ANSWERS = frozenset(get_args(Result))


class PlainRefusals(DefaultFailureConverter):
    """A refusal is an answer, not a fault: where in the program it was said is nobody's concern, for ten years."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.type in ANSWERS:
            failure.stack_trace = ""


DATA_CONVERTER = dataclasses.replace(pydantic_data_converter, failure_converter_class=PlainRefusals)
