# JAX is optional: the checks give the same answer with it and without it.
from typing import Any

def __getattr__(name: str) -> Any: ...
