from typing import Any

class MPContext:
    dps: int
    prec: int
    def __getattr__(self, name: str) -> Any: ...

mp: MPContext

def __getattr__(name: str) -> Any: ...
