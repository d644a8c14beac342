"""Pickgate keeps one promise: the warehouse only ever picks the customer's final order.

`domain` decides, `flows` wire, `store`, `engine` and `connectors` do, `operations` offer it to people through
`api`, `console` and `cli`. `bootstrap.py` is the only module that knows every concrete thing.
"""

__version__ = "0.1.0"
