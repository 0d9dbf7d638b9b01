"""The safetensors format: 8 bytes of length, a JSON header, and the numbers. Written atomically, read with distrust.

Source: https://github.com/huggingface/safetensors, README, "Format".
"""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from backproof.errors import FileError

_NAMES: Final = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8"}
_TYPES: Final = {short: np.dtype(name) for name, short in _NAMES.items()}
LONGEST_HEADER: Final = 100_000_000


def save(path: Path, tensors: Mapping[str, NDArray[Any]], notes: Mapping[str, Any]) -> None:
    """Write tensors and notes, so that at every moment the file is the old one or the new one, whole.

    Raises FileError for a disk that is full or a folder that cannot be written; the old file stays.
    """
    header: dict[str, Any] = {"__metadata__": {key: json.dumps(value) for key, value in notes.items()}}
    offset = 0
    chunks: list[bytes] = []
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor).tobytes()
        shape = list(tensor.shape)
        header[name] = {
            "dtype": _NAMES[tensor.dtype.name],
            "shape": shape,
            "data_offsets": [offset, offset + len(data)],
        }
        offset += len(data)
        chunks.append(data)
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(struct.pack("<Q", len(head)) + head)
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise FileError(
            f"the file cannot be written: {error.strerror}", got=str(path), next="the file before is whole"
        ) from None


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The tensors and notes of a file. Raises FileError for one that is missing, truncated or of another format."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f"the file cannot be read: {error.strerror}", got=str(path)) from None
    try:
        return _parsed(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(
            "this is no whole safetensors file", expected="a file that backproof train wrote", got=f"{path}: {error}"
        ) from None


def _parsed(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    if len(data) < 8:
        raise ValueError("shorter than its header")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(len(data) - 8, LONGEST_HEADER):
        raise ValueError("the header is cut off")
    header = cast("dict[str, Any]", json.loads(data[8 : 8 + length]))
    body = memoryview(data)[8 + length :]
    tensors: dict[str, NDArray[Any]] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype = _TYPES[entry["dtype"]]
        first, last = entry["data_offsets"]
        shape = tuple(int(n) for n in entry["shape"])
        if not 0 <= first <= last <= len(body) or last - first != dtype.itemsize * int(np.prod(shape, dtype=np.int64)):
            raise ValueError("the numbers are cut off")
        tensors[name] = np.frombuffer(body[first:last], dtype).reshape(shape).copy()
    notes = {key: json.loads(value) for key, value in header.get("__metadata__", {}).items()}
    return tensors, notes
