"""A stateful simulator of one Clarus WMS tenant: REST writes, GraphQL reads, automations, and the warehouse floor.

Here: the twin (`ClarusTwin`), its knobs, and everything behind them. Not here: the people who pick
(`twins/people.py`), lost or doubled deliveries (`twins/faults.py`), TCP (`twins/server.py`). README.md tells
the behaviour and lists the knobs.
"""

from pickgate.twins.clarus.knobs import ClarusKnobs
from pickgate.twins.clarus.refusals import ClarusRefusal, ImpossibleOnTheFloor
from pickgate.twins.clarus.replay import content_at
from pickgate.twins.clarus.twin import ClarusTwin

__all__ = ["ClarusKnobs", "ClarusRefusal", "ClarusTwin", "ImpossibleOnTheFloor", "content_at"]
