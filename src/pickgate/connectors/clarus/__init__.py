"""The Clarus WMS connector: goods-outs out, what the warehouse holds back in, and hints from its webhooks.

Here: everything that knows Clarus' field names, and `ClarusWarehouse`, which satisfies `flows.ports.WarehousePort`.
Not here: when to send what (`domain`, `flows`), and TCP (`connectors.transport`). README.md tells what it relies on.
"""

from pickgate.connectors.clarus.catalogue import ClarusCatalogue, CodeKind
from pickgate.connectors.clarus.pace import Pace
from pickgate.connectors.clarus.port import ClarusWarehouse
from pickgate.connectors.clarus.webhooks import ClarusHint, find_unexpected_headers, parse_hint

__all__ = [
    "ClarusCatalogue",
    "ClarusHint",
    "ClarusWarehouse",
    "CodeKind",
    "Pace",
    "find_unexpected_headers",
    "parse_hint",
]
