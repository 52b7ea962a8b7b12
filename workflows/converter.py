"""How payloads and failures are written into the engine: pydantic's JSON, refusals without a stack, everything sealed by case."""

from __future__ import annotations

import dataclasses
from typing import get_args

from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError

from activities.outcome import Result
from records.keys import Keys
from workflows.codec import CaseCodec

ANSWERS = frozenset(get_args(Result))
SEALED = "The reason is sealed: {where} says it, and so does this program with the codec server (docs/sealing.md)."
HIDDEN, HIDDEN_UNSIGNED = SEALED.format(where="evenhand case log CASE"), SEALED.format(where="evenhand keys refused")
"""An update that nobody signed who may stands in no case's log (decision 30)."""


class PlainRefusals(DefaultFailureConverter):
    """A refusal is an answer, not a fault: where in the program it was said is nobody's concern, for ten years."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.type in ANSWERS:
            failure.stack_trace = ""


class SealedRefusals(PlainRefusals):
    """The same, with message and stack where the codec seals them; the type stays clear."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        super().to_failure(exception, payload_converter, failure)
        attributes = {"message": failure.message, "stack_trace": failure.stack_trace}
        failure.encoded_attributes.CopyFrom(payload_converter.to_payloads([attributes])[0])
        kind = exception.type if isinstance(exception, ApplicationError) else None
        failure.message, failure.stack_trace = HIDDEN_UNSIGNED if kind == "unsigned" else HIDDEN, ""


DATA_CONVERTER = dataclasses.replace(pydantic_data_converter, failure_converter_class=PlainRefusals)
"""Without keys: for golden histories, and for a client that has none."""


def sealing(keys: Keys) -> DataConverter:
    """Returns the converter of everybody who has the keys: workers, the command line, the Python client."""
    return dataclasses.replace(pydantic_data_converter, failure_converter_class=SealedRefusals, payload_codec=CaseCodec(keys))


def with_keys(client: Client, keys: Keys) -> Client:
    """Returns a client of the same engine that seals and opens with these keys."""
    config = client.config()
    config["data_converter"] = sealing(keys)
    return Client(**config)
