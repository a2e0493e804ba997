"""The one format in which probes and observations travel: JSON with arrays, checked on arrival."""

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAX_CHARACTERS = 2_000_000
MAX_VALUES = 100_000
MAX_KEYS = 100
MAX_NAME = 100
MAX_MESSAGE = 500

Probe = dict[str, Any]  # arrays, numbers, booleans, strings, and dicts of these


class WireError(ValueError):
    """What arrived is not in the format."""


@dataclass
class Observation:
    """What an answer did on a probe: numbers, and the error that ended it if one did."""

    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    raised: str | None = None  # the exception's type, "ValueError"
    message: str = ""  # the exception's text


def dump_probe(probe: Probe) -> str:
    """Encode a probe as JSON."""
    return json.dumps(probe, default=_encode_array)


def load_probe(text: str) -> Probe:
    """Decode what ``dump_probe`` wrote; arrays come back with their dtype and shape."""
    return json.loads(text, object_hook=_decode_array)


def dump_observation(observation: Observation) -> str:
    """Encode an observation as JSON."""
    return json.dumps(
        {
            "numbers": {n: np.asarray(v, np.float64) for n, v in observation.numbers.items()},
            "raised": observation.raised,
            "message": observation.message,
        },
        default=_encode_array,
    )


def load_observation(text: str) -> Observation:
    """Decode an observation that may come from untrusted code.

    Raises:
        WireError: it is too large, or anything but named float64 arrays and two short strings.
    """
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise WireError("the answer's numbers are too many to read")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("the answer's numbers could not be read") from error
    if not isinstance(content, dict) or set(content) != {"numbers", "raised", "message"}:
        raise WireError("the answer's numbers came in another form than expected")
    numbers, raised, message = content["numbers"], content["raised"], content["message"]
    if not isinstance(numbers, dict) or len(numbers) > MAX_KEYS:
        raise WireError("the answer's numbers came in another form than expected")
    if not (raised is None or isinstance(raised, str)) or not isinstance(message, str):
        raise WireError("the answer's error came in another form than expected")
    return Observation(
        numbers={_checked_name(name): _checked_array(value) for name, value in numbers.items()},
        raised=None if raised is None else raised[:MAX_NAME],
        message=message[:MAX_MESSAGE],
    )


def _encode_array(value: Any) -> dict[str, Any]:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"a probe or observation holds no {type(value).__name__}")
    return {
        "dtype": value.dtype.name,
        "shape": list(value.shape),
        "values": value.ravel().tolist(),
    }


def _decode_array(content: dict[str, Any]) -> Any:
    if set(content) != {"dtype", "shape", "values"}:
        return content
    return np.array(content["values"], dtype=content["dtype"]).reshape(content["shape"])


def _checked_name(name: str) -> str:
    if len(name) > MAX_NAME:
        raise WireError("a name among the answer's numbers is too long")
    return name


def _checked_array(content: Any) -> np.ndarray:
    if not isinstance(content, dict) or set(content) != {"dtype", "shape", "values"}:
        raise WireError("one of the answer's numbers is no array")
    dtype, shape, values = content["dtype"], content["shape"], content["values"]
    right_shape = (
        isinstance(shape, list)
        and len(shape) <= 4
        and all(type(size) is int and 0 <= size <= MAX_VALUES for size in shape)
    )
    if dtype != "float64" or not right_shape or not isinstance(values, list):
        raise WireError("one of the answer's arrays has another form than expected")
    if len(values) > MAX_VALUES or len(values) != np.prod(shape, dtype=np.int64):
        raise WireError("one of the answer's arrays has another size than it says")
    if not all(type(value) in (int, float) for value in values):
        raise WireError("one of the answer's arrays holds something else than numbers")
    try:
        return np.array(values, dtype=np.float64).reshape(shape)
    except (OverflowError, ValueError) as error:
        raise WireError("one of the answer's arrays could not be read") from error
