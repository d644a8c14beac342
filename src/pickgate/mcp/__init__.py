"""The operations as tools for language models: the Model Context Protocol over Streamable HTTP, with API tokens.

Messages, tool descriptions and preview tokens live here. No rule, no SQL, and nothing of HTTP beyond this one address.
"""
