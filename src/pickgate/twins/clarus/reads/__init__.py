"""GraphQL reads of the Clarus twin: the documented subset as SDL, compiled once per document, run on plain rows.

Here: schema files, filters, fields, plans. Not here: writes (REST has them all) and the rows themselves.
"""

from pickgate.twins.clarus.reads.endpoint import GraphQLReads

__all__ = ["GraphQLReads"]
