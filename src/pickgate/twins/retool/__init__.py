"""A Retool: its three RPC endpoints, its resources API, and its Toolscript validator, as far as they are known.

No apps are imported or drawn here. What is not known of the real one is a knob.
"""

from pickgate.twins.retool.twin import RetoolTwin

__all__ = ["RetoolTwin"]
