"""Everything that knows Retool's words: its resources API, its RPC protocol, and the app that we generate for it.

What an operation does is not known here: the agent is given functions and one way to run them, the pack is given our
OpenAPI document. Both come from the registry, by way of the command line.
"""
